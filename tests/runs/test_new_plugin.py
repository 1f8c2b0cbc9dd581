"""``iid plugin new``: the package it writes is a plugin that keeps the contract."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from intrinsic_cli.cli import iid
from intrinsic_cli.registry import load_registry
from intrinsic_cli.runs.new_plugin import plugin_files

ROOT = Path(__file__).parents[2]


def new(*words: str) -> Result:
    return CliRunner().invoke(iid, ["plugin", "new", *words])


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A plugin called ``two_tones``, written and installed."""
    folder = tmp_path / "iid-two_tones"
    done = new("two_tones", "--out", str(folder))
    assert done.exit_code == 0, done.output
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    info = folder / "iid_two_tones-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 1\n")
    entries = [f"{key} = {value}" for key, value in project["entry-points"]["iid.methods"].items()]
    (info / "entry_points.txt").write_text("\n".join(["[iid.methods]", *entries, ""]))
    monkeypatch.syspath_prepend(str(folder))
    load_registry.cache_clear()
    yield folder
    load_registry.cache_clear()
    for name in [name for name in sys.modules if name.startswith("iid_two_tones")]:
        del sys.modules[name]


def test_it_trains_decomposes_and_keeps_the_contract(installed: Path) -> None:
    from intrinsic_cli.testing import check_method

    found = load_registry()
    assert found.origins["two_tones"] == "iid-two_tones (iid_two_tones)"
    check_method(found.methods["two_tones"])


def test_it_is_scored_by_iid_evaluate(installed: Path) -> None:
    words = ["train", "--plugin", "two_tones", "--out", str(installed / "run"), "--install"]
    words += ["--steps", "2", "--set", "batch_size=1", "--set", "crop=16", "--device", "cpu"]
    done = CliRunner().invoke(iid, words)
    assert done.exit_code == 0, done.output
    scored = CliRunner().invoke(iid, ["evaluate", "-m", "two_tones", "--limit", "1"])
    assert scored.exit_code == 0, scored.output
    assert "two_tones" in scored.stdout


def test_its_own_test_is_complete(installed: Path) -> None:
    text = (installed / "tests" / "test_two_tones.py").read_text()
    assert 'check_method(load_registry().methods["two_tones"])' in text


def test_it_prints_what_it_wrote_and_what_comes_next(tmp_path: Path) -> None:
    folder = tmp_path / "a plugin"
    done = new("warm", "--out", str(folder))
    assert done.exit_code == 0
    written = {Path(line) for line in done.stdout.splitlines()}
    assert written == {path for path in folder.rglob("*") if path.is_file()}
    assert f"pip install -e '{folder}'" in done.stderr


def test_the_code_is_formatted_and_typed(tmp_path: Path) -> None:
    pytest.importorskip("ruff")
    new("warm", "--out", str(tmp_path / "iid-warm"))
    for words in (["check", "--select", "E,F,W,UP,B"], ["format", "--check"]):
        limit = ["--line-length", "100"]
        command = [sys.executable, "-m", "ruff", *words, *limit, str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
    for path in tmp_path.rglob("method.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                assert node.returns is not None, node.name


@pytest.mark.parametrize("name", ["Two", "two words", "2d", "class", "a-b", "../up"])
def test_names_that_cannot_be(name: str, tmp_path: Path) -> None:
    done = new(name, "--out", str(tmp_path / "made"))
    assert (done.exit_code, done.stdout) == (2, "")
    assert "cannot be the name of a method" in done.stderr
    assert ("in Python" in done.stderr) == (name == "class")
    assert not (tmp_path / "made").exists()


def test_a_name_that_is_nearly_one_is_mended(tmp_path: Path) -> None:
    done = new("My-warm.2", "--out", str(tmp_path / "x"))
    assert done.exit_code == 2
    assert "such as my_warm_2" in done.stderr


def test_half_a_plugin_is_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is not in the way of the next try."""
    written: list[Path] = []

    def full(self: Path, text: str, **_: str) -> None:
        written.append(self)
        if len(written) > 2:
            raise OSError(28, "No space left on device", str(self))

    out = tmp_path / "iid-two_tones"
    with monkeypatch.context() as patch:
        patch.setattr(type(tmp_path), "write_text", full)
        assert new("two_tones", "--out", str(out)).exit_code == 1
    assert not out.exists()
    assert new("two_tones", "--out", str(out)).exit_code == 0


def test_names_and_folders_that_are_taken(tmp_path: Path) -> None:
    assert "iid-gray (iid_gray) brings it" in new("gray", "--out", str(tmp_path / "made")).stderr
    done = new("warm", "--out", str(tmp_path))
    assert done.exit_code == 2
    assert "already" in done.stderr
    assert not list(tmp_path.iterdir())


def test_the_readme_shows_what_it_writes() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for path, text in plugin_files("warm").items():
        if path.startswith("iid_warm/") or path == "pyproject.toml":
            language = "toml" if path.endswith(".toml") else "python"
            assert f"`{path}`\n\n```{language}\n{text}```\n" in readme, path
