"""Checking and preparing datasets, from Python and from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from intrinsic_cli.api import DataError, UsageError
from intrinsic_cli.cli import iid
from intrinsic_cli.datasets import DATASETS
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.score import PROTOCOLS
from intrinsic_cli.runs.datasets import check, prepare


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    for layer in ("image", "albedo", "shading"):
        cv2.imwrite(str(tmp_path / f"a_{layer}.png"), np.full((6, 8, 3), 90, np.uint8))
    return tmp_path


def test_a_whole_dataset_is_counted(scenes: Path) -> None:
    report = check(f"arap:{scenes}")
    assert (report.protocol, report.cases) == ("arap-f", {"val": 1})
    assert check("synth").cases == {"train": None, "val": None}


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("mit:{}/nowhere", "there is nothing at"),
        ("mit:{}", "holds no MIT objects"),
        ("arap:{}", "lacks a_shading.png"),
    ],
)
def test_what_is_missing_is_named(scenes: Path, data: str, told: str) -> None:
    (scenes / "a_shading.png").unlink()
    with pytest.raises(DataError, match=told):
        check(data.format(scenes))
    done = CliRunner().invoke(iid, ["datasets", "check", data.format(scenes)])
    assert done.exit_code == 4
    assert told in done.stderr
    assert done.stdout == ""


def test_check_prints_one_line_or_json(scenes: Path) -> None:
    done = CliRunner().invoke(iid, ["datasets", "check", f"arap-o:{scenes}"])
    assert done.stdout.startswith(f"arap-o:{scenes}: ok  cases: val 1  protocol: arap-o")
    done = CliRunner().invoke(iid, ["datasets", "check", f"arap:{scenes}", "--json"])
    assert json.loads(done.stdout)["cases"] == {"val": 1}


def test_collections_are_counted_one_by_one(tmp_path: Path) -> None:
    for name, count in {"photo": 3, "albedo": 1, "shading": 2}.items():
        (tmp_path / name).mkdir()
        for number in range(count):
            cv2.imwrite(str(tmp_path / name / f"{number}.png"), np.full((8, 8, 3), 90, np.uint8))
    report = check(f"unpaired:{tmp_path}")
    once = {"train": 1, "val": 1}
    assert report.collections == {"photo": {"train": 2, "val": 1}, "albedo": once, "shading": once}
    done = CliRunner().invoke(iid, ["datasets", "check", f"unpaired:{tmp_path}"])
    assert done.stdout.startswith(
        f"unpaired:{tmp_path}: ok  photo: train 2, val 1  albedo: train 1, val 1  shading:"
    )
    (tmp_path / "albedo" / "0.png").write_bytes(b"broken")
    done = CliRunner().invoke(iid, ["datasets", "check", f"unpaired:{tmp_path}"])
    assert (done.exit_code, done.stdout) == (4, "")
    assert str(tmp_path / "albedo" / "0.png") in done.stderr


def test_prepare_knows_whom_it_can_help(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'mit' needs no preparation") as told:
        prepare("mit", tmp_path, tmp_path)
    assert "celeba, cub, hypersim, sfsnet" in told.value.hint
    with pytest.raises(UsageError, match="no dataset called 'birds'"):
        prepare("birds", tmp_path, tmp_path)
    with pytest.raises(DataError, match="not a folder"):
        prepare("cub", tmp_path / "nowhere", tmp_path)


def test_prepare_from_the_command_line(tmp_path: Path) -> None:
    for split in ("train", "test"):
        place = tmp_path / split / "all"
        place.mkdir(parents=True)
        cv2.imwrite(str(place / "1.jpg"), np.full((8, 8, 3), 90, np.uint8))
    done = CliRunner().invoke(iid, ["datasets", "prepare", "celeba", str(tmp_path), str(tmp_path)])
    assert (done.exit_code, done.stdout) == (0, f"{tmp_path}: 2 made\n")
    assert check(f"celeba:{tmp_path}").cases == {"train": 1, "val": 1}


def test_every_dataset_says_where_it_comes_from_and_how_it_is_scored() -> None:
    listing = CliRunner().invoke(iid, ["datasets"]).stdout
    for spec in DATASETS:
        assert spec.licence
        assert spec.layout
        assert spec.page
        assert set(spec.protocols) <= PROTOCOLS.keys()
        assert f"{spec.name}: {spec.summary}" in listing
    rows = json.loads(CliRunner().invoke(iid, ["datasets", "--json"]).stdout)["datasets"]
    assert {"page", "protocols", "layout", "licence", "prepare"} <= rows[0].keys()
