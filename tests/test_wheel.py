"""What ``pip install .`` brings: a wheel that works elsewhere, with its weights, on a machine
without a screen."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def run(*words: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of the files under version control, built in a copy of them."""
    pytest.importorskip("setuptools", "77")
    pytest.importorskip("pip")
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    copy, out = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("wheel")
    for name in listed.stdout.split("\0"):
        if (ROOT / name).is_file() and not name.startswith("tests/"):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
    options = ["--no-deps", "--no-build-isolation", "--no-index", "-q"]
    run("-m", "pip", "wheel", *options, "-w", str(out), str(copy), folder=out)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the wheel is unpacked, as ``pip install --target`` does."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder)
    return folder


def iid(site: Path, *words: str) -> Any:
    """What an installed ``iid`` answers as JSON."""
    folder = site.parent
    done = run("-m", "intrinsic_cli", *words, "--json", folder=folder, PYTHONPATH=str(site))
    return json.loads(done.stdout)


def test_the_wheel_holds_no_tests_and_no_rubbish(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    plugins = {path.parent.name for path in (ROOT / "plugins").glob("*/__init__.py")}
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"intrinsic_cli", *plugins}
    assert not [name for name in names if name.endswith((".pyc", ".orig", "~"))]


def test_the_installed_iid_finds_its_weights(elsewhere: Path) -> None:
    found = iid(elsewhere, "weights", "list")["weights"]
    shipped = {path.stem for path in ROOT.glob("plugins/*/weights/*.safetensors")}
    packaged = {file["name"] for file in found if file["place"] == "packaged"}
    assert packaged == shipped
    assert all(Path(file["path"]).is_relative_to(elsewhere) for file in found)


def test_the_installed_iid_takes_a_photo_apart(elsewhere: Path, tmp_path: Path) -> None:
    photo = elsewhere / "intrinsic_cli" / "samples" / "coffee.png"
    told = iid(elsewhere, "decompose", str(photo), "-m", "retinex", "-o", str(tmp_path / "out"))
    assert told["status"] == "done"
    assert (tmp_path / "out" / "coffee.albedo.png").stat().st_size > 1000


def test_the_installed_iid_writes_plugins_and_reads_its_miniature(
    elsewhere: Path, tmp_path: Path
) -> None:
    words = ["plugin", "new", "warm", "--out", str(tmp_path / "warm")]
    run("-m", "intrinsic_cli", *words, folder=tmp_path, PYTHONPATH=str(elsewhere))
    assert (tmp_path / "warm" / "iid_warm" / "method.py").exists()
    words = ["datasets", "check", "synth"]
    done = run("-m", "intrinsic_cli", *words, folder=tmp_path, PYTHONPATH=str(elsewhere))
    assert "synth" in done.stdout


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_one_opencv_is_asked_for_and_on_linux_the_one_without_a_screen(platform: str) -> None:
    from packaging.requirements import Requirement

    asked = [Requirement(text) for text in PROJECT["dependencies"]]
    named = [
        wanted.name
        for wanted in asked
        if wanted.name.startswith("opencv")
        and (wanted.marker is None or wanted.marker.evaluate({"sys_platform": platform}))
    ]
    assert named == ["opencv-python-headless" if platform == "linux" else "opencv-python"]
    extras = [text for group in PROJECT["optional-dependencies"].values() for text in group]
    assert not [text for text in extras if text.startswith("opencv")]
