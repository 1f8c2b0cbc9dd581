"""The commands from end to end, with a stranger's method: train, install, evaluate, decompose,
list."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from intrinsic_cli.cli import iid

TRAIN = ("--steps", "2", "--set", "batch_size=2", "--set", "crop=16", "--device", "cpu")


def run(*words: str, stdin: bytes | str | None = None) -> Result:
    return CliRunner().invoke(iid, words, input=stdin)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder dataset of two photos with albedo and shading."""
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        albedo = rng.uniform(0.2, 0.8, (40, 48, 3))
        shading = np.linspace(0.3, 1, 48)[None, :, None].repeat(40, 0).repeat(3, 2)
        for layer, values in {
            "photo": albedo * shading,
            "albedo": albedo,
            "shading": shading,
        }.items():
            path = tmp_path / "data" / layer / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray((values * 255).astype(np.uint8)).save(path)
    return tmp_path / "data"


@pytest.fixture
def trained(data: Path, tmp_path: Path, home: Path) -> Path:
    """The home folder once ``gray`` has weights there."""
    done = run(
        "train",
        "-m",
        "gray",
        "--data",
        str(data),
        "--out",
        str(tmp_path / "run"),
        *TRAIN,
        "--install",
    )
    assert done.exit_code == 0, done.output
    assert done.stdout.strip() == str(home / "weights" / "gray.safetensors")
    return home


def test_train_stops_in_time_and_resumes(data: Path, tmp_path: Path) -> None:
    folder = str(tmp_path / "run")
    first = run(
        "train",
        "--plugin",
        "gray",
        "--data",
        str(data),
        "--out",
        folder,
        *TRAIN,
        "--for",
        "0.000001s",
    )
    assert first.exit_code == 0, first.output
    assert f"iid train --resume {folder}" in first.stderr
    again = run("train", "--resume", folder, "--json")
    assert again.exit_code == 0, again.output
    told = json.loads(again.stdout)
    assert told["finished"]
    assert Path(told["weights"]).exists()


def test_evaluate_writes_what_it_prints(trained: Path, data: Path, tmp_path: Path) -> None:
    table, page = tmp_path / "out" / "t.json", tmp_path / "out" / "t.csv"
    done = run(
        "evaluate", "-m", "gray", "--data", str(data), "--json", str(table), "--csv", str(page)
    )
    assert done.exit_code == 0, done.output
    told = json.loads(table.read_text())
    assert told["rows"][0]["method"] == "gray"
    assert f"protocol {told['protocol']}" in done.stdout
    with page.open() as file:
        assert [row["method"] for row in csv.DictReader(file)] == [
            row["method"] for row in told["rows"]
        ]

    printed = run("evaluate", "-m", "gray", "--data", str(data), "--json", "-").stdout
    assert json.loads(printed)["protocol"] == told["protocol"]


def test_decompose_prints_paths(trained: Path, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = run("decompose", str(data / "photo"), "-m", "gray", "-o", str(out))
    assert done.exit_code == 0, done.output
    paths = done.stdout.split()
    assert sorted(Path(path).name for path in paths) == [
        "a.albedo.png",
        "a.shading.png",
        "b.albedo.png",
        "b.shading.png",
    ]
    assert all(Path(path).exists() for path in paths)
    assert "2 done, 0 skipped, 0 failed" in done.stderr
    again = run("decompose", str(data / "photo"), "-m", "gray", "-o", str(out))
    assert (again.exit_code, again.stdout) == (0, "")
    assert "0 done, 2 skipped" in again.stderr


def test_decompose_json_lines_and_bad_files(trained: Path, data: Path, tmp_path: Path) -> None:
    (data / "photo" / "broken.png").write_bytes(b"not a photo")
    words = ("decompose", str(data / "photo"), "-m", "gray", "-o", str(tmp_path / "out"), "--json")
    done = run(*words)
    assert done.exit_code == 3
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert {Path(item["input"]).name: item["status"] for item in told} == {
        "a.png": "done",
        "b.png": "done",
        "broken.png": "failed",
    }
    assert {"input", "status", "layers", "seconds", "error"} <= told[0].keys()
    assert done.stderr.count("broken.png") == 1
    alone = run(
        "decompose", str(data / "photo" / "broken.png"), "-m", "gray", "-o", str(tmp_path / "out")
    )
    assert alone.exit_code == 1


def test_decompose_from_stdin_to_stdout(trained: Path, data: Path) -> None:
    photo = (data / "photo" / "a.png").read_bytes()
    done = run("decompose", "-", "-m", "gray", "-o", "-", "--layers", "shading", stdin=photo)
    assert done.exit_code == 0, done.output
    assert done.stdout_bytes.startswith(b"\x89PNG")
    assert run("decompose", "-", "-m", "gray", "-o", "-", stdin=photo).exit_code == 2


def test_a_file_called_dash(
    trained: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data / "photo" / "a.png").rename(tmp_path / "-")
    monkeypatch.chdir(tmp_path)
    done = run("decompose", "./-", "-m", "gray")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "iid-out" / "-.albedo.png").exists()


def test_decompose_reads_a_list(trained: Path, data: Path, tmp_path: Path) -> None:
    listed = f"{data / 'photo' / 'a.png'}\n\n{data / 'photo' / 'b.png'}\n"
    done = run(
        "decompose", "--from-list", "-", "-m", "gray", "-o", str(tmp_path / "out"), stdin=listed
    )
    assert done.exit_code == 0, done.output
    assert "2 done" in done.stderr


def test_decompose_opens_globs(trained: Path, data: Path, tmp_path: Path) -> None:
    done = run("decompose", str(data / "*" / "a.png"), "-m", "gray", "-o", str(tmp_path / "out"))
    assert "3 done" in done.stderr
    assert run("decompose", str(data / "*.nothing"), "-m", "gray").exit_code == 4


def test_weights_are_listed_and_verified(trained: Path) -> None:
    listed = json.loads(run("weights", "list", "--json").stdout)["weights"]
    mine = next(file for file in listed if file["name"] == "gray")
    assert mine["record"]["method"] == "gray"
    assert mine["place"] == "home"
    assert run("weights", "verify", "gray").stdout.startswith("ok  gray")
    path = trained / "weights" / "gray.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    damaged = run("weights", "verify", "gray", "--json")
    assert damaged.exit_code == 4
    assert json.loads(damaged.stdout)["weights"][0]["status"] == "damaged"
    assert run("weights", "verify", "nothing").exit_code == 4


def test_weights_install_by_record(trained: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes((trained / "weights" / "gray.safetensors").read_bytes())
    (trained / "weights" / "gray.safetensors").unlink()
    done = run("weights", "install", str(copy))
    assert done.exit_code == 0, done.output
    assert Path(done.stdout.strip()) == trained / "weights" / "gray.safetensors"


def test_methods_describe_their_weights(trained: Path) -> None:
    (told,) = json.loads(run("methods", "gray", "--json").stdout)["methods"]
    assert told["weights"][0]["sha256"]
    assert told["options"][0]["name"] == "floor"
    text = run("methods", "gray").stdout
    assert "sha256" in text
    assert "floor" in text


@pytest.mark.parametrize("group", ["weights", "datasets", "plugin"])
def test_short_helps_are_whole(group: str) -> None:
    """click cuts them where they are long."""
    assert "..." not in CliRunner().invoke(iid, [group, "--help"]).stdout.partition("Commands:")[2]
