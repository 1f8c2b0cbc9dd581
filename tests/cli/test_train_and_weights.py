"""``iid train`` says what to do next; ``iid weights`` checks, installs, removes and exports."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result

from intrinsic_cli.cli import iid
from intrinsic_cli.kit.networks.checkpoint import load_weights, save_weights

SMALL = ("--set", "batch_size=1", "--set", "crop=16", "--set", "val_batches=1", "--device", "cpu")


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(iid, [str(word) for word in words])


def train(*words: str | Path) -> Result:
    done = run("train", *words, *SMALL)
    assert done.exit_code == 0, done.output
    return done


@pytest.fixture
def gray(tmp_path: Path) -> Path:
    """Weights that fit."""
    path = tmp_path / "gray.safetensors"
    record = {"method": "gray", "variant": ""}
    save_weights(path, {"brightness": {"power": torch.tensor(0.5)}}, record)
    return path


def test_train_tells_what_to_do_next(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    done = train("-m", "gray", "--steps", "1", "--out", folder)
    assert done.stdout == f"{folder / 'best.safetensors'}\n"
    assert f"use the weights with: iid decompose PHOTO -m gray --weights {folder}" in done.stderr
    assert "continue with" not in done.stderr


def test_a_stopped_run_can_be_used_or_resumed(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    done = train("-m", "gray", "--steps", "9", "--out", folder, "--for", "0.000001s")
    assert done.stdout == f"{folder / 'best.safetensors'}\n"
    assert f"continue with: iid train --resume {folder}" in done.stderr
    assert f"--weights {folder}" in done.stderr
    again = run("train", "--resume", folder, "--json")
    told = json.loads(again.stdout)
    assert (told["finished"], told["installed"], told["method"]) == (True, False, "gray")


def test_installed_weights_are_used_without_a_word(tmp_path: Path, home: Path) -> None:
    done = train("-m", "gray", "--steps", "1", "--out", tmp_path / "run", "--install")
    assert done.stdout == f"{home / 'weights' / 'gray.safetensors'}\n"
    assert "iid decompose PHOTO -m gray\n" in done.stderr


def test_a_run_is_repeated_without_naming_its_method(tmp_path: Path) -> None:
    train("-m", "gray", "--steps", "1", "--out", tmp_path / "a")
    train("--config", tmp_path / "a" / "config.toml", "--out", tmp_path / "b")
    assert (tmp_path / "b" / "best.safetensors").exists()
    assert run("train").exit_code == 2


def test_weights_are_installed_removed_and_exported(tmp_path: Path, home: Path, gray: Path) -> None:
    installed = home / "weights" / "gray.safetensors"
    assert run("weights", "install", gray).stdout == f"{installed}\n"
    out = tmp_path / "copy.safetensors"
    assert run("weights", "export", "gray", out).stdout == f"{out}\n"
    assert out.read_bytes() == gray.read_bytes()
    again = run("weights", "export", "gray", out)
    assert (again.exit_code, again.stderr.splitlines()[0]) == (2, f"iid: {out} is there already")
    (tmp_path / "folder").mkdir()
    run("weights", "export", "gray", tmp_path / "folder")
    assert (tmp_path / "folder" / "gray.safetensors").exists()
    assert run("weights", "export", "gray", "-").exit_code == 2, "stdout is for text"
    gone = run("weights", "export", "gray", f"{tmp_path}/gone/")
    assert (gone.exit_code, "there is no folder" in gone.stderr) == (2, True)
    assert not (tmp_path / "gone").exists()
    assert run("weights", "export", "grey", tmp_path / "x").exit_code == 4
    removed = run("weights", "remove", "gray")
    assert removed.stderr == f"removed {installed}\n"
    assert not installed.exists()
    missing = run("weights", "remove", "gray")
    assert missing.exit_code == 4
    assert "no weights called 'gray' are installed" in missing.stderr


def test_exported_weights_are_installed_for_whom_they_were(tmp_path: Path, home: Path) -> None:
    run("weights", "export", "flow", tmp_path / "mine.safetensors")
    done = run("weights", "install", tmp_path / "mine.safetensors")
    assert done.stdout == f"{home / 'weights' / 'flow.safetensors'}\n", "and not for flow:residual"


def test_a_variant_shows_the_weights_it_shares() -> None:
    (told,) = json.loads(run("methods", "flow:residual", "--json").stdout)["methods"]
    assert [file["name"] for file in told["weights"]] == ["flow"]


def test_packaged_weights_come_back(home: Path) -> None:
    packaged = json.loads(run("weights", "list", "--json").stdout)["weights"]
    path = next(file["path"] for file in packaged if file["name"] == "retinex")
    run("weights", "install", path)
    assert (home / "weights" / "retinex.safetensors").exists()
    assert f"{path} is used again" in run("weights", "remove", "retinex").stderr


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ({"brightness": {"power": torch.tensor(float("nan"))}}, "not finite"),
        ({}, "holds no tensors"),
        ({"other": {"power": torch.tensor(1.0)}}, "no network 'brightness', only other"),
        ({"brightness": {"power": torch.zeros(3)}}, "do not fit the network 'brightness'"),
        ({"brightness": {"force": torch.tensor(1.0)}}, "do not fit the network 'brightness'"),
    ],
)
def test_unfit_weights_are_not_installed(
    tmp_path: Path, home: Path, gray: Path, state: dict[str, dict[str, torch.Tensor]], why: str
) -> None:
    run("weights", "install", gray)
    bad = tmp_path / "bad.safetensors"
    save_weights(bad, state, {"method": "gray", "variant": ""})
    done = run("weights", "install", bad)
    assert done.exit_code == 4
    assert why in done.stderr
    assert load_weights(home / "weights" / "gray.safetensors")[0]["brightness"]["power"] == 0.5
    for name in (bad, bad, "gray"):
        checked = run("weights", "verify", name)
        assert checked.exit_code == (0 if name == "gray" else 4)
        assert name == "gray" or why in checked.stdout
    (home / "weights" / "gray.safetensors").write_bytes(bad.read_bytes())
    assert why in run("weights", "verify", "gray").stdout


def test_weights_of_strangers_are_only_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_weights(path, {"a": {"b": torch.zeros(1)}}, {"method": "unknown"})
    assert run("weights", "verify", path).exit_code == 0
    save_weights(path, {"a": {"b": torch.zeros(1)}}, {"method": 3})
    assert run("weights", "verify", path).exit_code == 0
    done = run("weights", "install", path)
    assert "does not say which method" in done.stderr


def test_weights_of_another_method_are_named(tmp_path: Path) -> None:
    photo = tmp_path / "x.png"
    photo.touch()
    done = run("decompose", photo, "-m", "flow", "--weights", "usi3d", "-o", tmp_path / "out")
    assert "the weights 'usi3d' are not made for flow" in done.stderr
    assert "they are of method usi3d" in done.stderr
