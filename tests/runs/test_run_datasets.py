"""Checking and preparing datasets, from Python and from the command line."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import get_type_hints

import numpy as np
import pytest
from click.testing import CliRunner, Result
from decomposing import Notes

from intrinsic_cli.api import DataError, PluginError, UsageError
from intrinsic_cli.cli import iid
from intrinsic_cli.datasets import DATASETS
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.protocols import PROTOCOLS
from intrinsic_cli.registry import load_registry, open_dataset
from intrinsic_cli.runs.datasets import check_dataset, prepare_dataset


def run(*words: str) -> Result:
    """``iid datasets WORDS``."""
    return CliRunner().invoke(iid, ["datasets", *words])


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    for layer in ("image", "albedo", "shading"):
        cv2.imwrite(str(tmp_path / f"a_{layer}.png"), np.full((6, 8, 3), 90, np.uint8))
    return tmp_path


def test_a_whole_dataset_is_counted(scenes: Path) -> None:
    report = check_dataset(f"arap:{scenes}")
    assert (report.protocol, report.cases) == ("arap-f", {"val": 1})
    assert check_dataset("synth").cases == {"train": 40, "val": 10}
    assert check_dataset("reflection").cases == {"train": 40, "val": 10}


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
        check_dataset(data.format(scenes))
    done = run("check", data.format(scenes))
    assert done.exit_code == 4
    assert told in done.stderr
    assert done.stdout == ""


def test_check_prints_one_line_or_json(scenes: Path) -> None:
    done = run("check", f"arap-o:{scenes}")
    assert done.stdout.startswith(f"arap-o:{scenes}: ok  cases: val 1  protocol: arap-o")
    done = run("check", f"arap:{scenes}", "--json")
    assert json.loads(done.stdout)["cases"] == {"val": 1}


def test_files_that_do_not_belong_together_are_counted_one_by_one(tmp_path: Path) -> None:
    for name, count in {"photo": 3, "albedo": 1, "shading": 2}.items():
        (tmp_path / name).mkdir()
        for number in range(count):
            cv2.imwrite(str(tmp_path / name / f"{number}.png"), np.full((8, 8, 3), 90, np.uint8))
    report = check_dataset(f"unpaired:{tmp_path}")
    once = {"train": 1, "val": 1}
    assert report.unpaired == {"photo": {"train": 2, "val": 1}, "albedo": once, "shading": once}
    done = run("check", f"unpaired:{tmp_path}")
    assert done.stdout.startswith(
        f"unpaired:{tmp_path}: ok  photo: train 2, val 1  albedo: train 1, val 1  shading:"
    )
    (tmp_path / "albedo" / "0.png").write_bytes(b"broken")
    done = run("check", f"unpaired:{tmp_path}")
    assert (done.exit_code, done.stdout) == (4, "")
    assert str(tmp_path / "albedo" / "0.png") in done.stderr


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Twelve photos with layers."""
    for name in ("photo", "albedo", "shading"):
        (tmp_path / name).mkdir()
        for number in range(12):
            cv2.imwrite(str(tmp_path / name / f"{number}.png"), np.full((8, 9, 3), 90, np.uint8))
    return tmp_path


def test_every_case_of_a_folder_is_read(photos: Path) -> None:
    report = check_dataset(str(photos))
    assert sum(report.cases.values()) == report.read == 12
    assert "?" not in run("check", str(photos)).stdout
    for number in (3, 7):
        wrong = photos / "shading" / f"{number}.png"
        cv2.imwrite(str(wrong), np.full((9, 8, 3), 90, np.uint8))
    with pytest.raises(DataError, match=r"shading.\d\.png has 8×9 pixels, but .* has 9×8; 2 of 12"):
        check_dataset(str(photos))
    (photos / "albedo" / "5.png").write_bytes(b"broken")
    notes = Notes()
    with pytest.raises(DataError, match="3 of 12 cases are broken") as caught:
        check_dataset(str(photos), progress=notes)
    told = [caught.value.message, *notes.texts]
    for name in ("3.png", "5.png", "7.png"):
        assert sum(name in sentence for sentence in told) == 1


@pytest.fixture
def damaged(photos: Path) -> Path:
    """A folder that lacks layers of three photos, beside a broken and a wrong-sized one."""
    for name in ("albedo/1.png", "albedo/4.png", "shading/5.png"):
        (photos / name).unlink()
    (photos / "shading/2.png").write_bytes(b"broken")
    cv2.imwrite(str(photos / "albedo/3.png"), np.full((9, 8, 3), 90, np.uint8))
    return photos


def test_all_that_is_wrong_is_told_at_once(damaged: Path) -> None:
    done = run("check", str(damaged))
    assert (done.exit_code, done.stdout) == (4, "")
    lacking = "lacks albedo/1.*, albedo/4.*, shading/5.*; 2 of 12 cases are broken"
    for told in (lacking, "shading/2.png", "albedo/3.png has 8×9 pixels"):
        assert done.stderr.count(told) == 1
    with pytest.raises(DataError, match=r"lacks albedo/1\.\*, albedo/4\.\*, shading/5\.\*$"):
        open_dataset(str(damaged), load_registry())


def test_what_is_left_of_a_dataset_is_looked_at_though_files_are_missing(scenes: Path) -> None:
    for layer in ("image", "albedo", "shading"):
        (scenes / f"b_{layer}.png").write_bytes(b"broken")
    (scenes / "a_shading.png").unlink()
    told = run("check", f"arap:{scenes}").stderr
    assert "lacks a_shading.png; 1 of 1 cases is broken" in told
    assert "b_image.png" in told


def test_a_layer_is_read_though_another_of_its_photo_is_missing(damaged: Path) -> None:
    (damaged / "shading/1.png").write_bytes(b"broken")
    assert "shading/1.png" in run("check", str(damaged)).stderr


def test_every_missing_file_is_named_where_all_are_asked_for(damaged: Path) -> None:
    for number in range(6, 12):
        (damaged / f"albedo/{number}.png").unlink()
    assert "and 5 more" in run("check", str(damaged)).stderr
    lines = run("check", str(damaged), "--all").stderr.splitlines()
    for number in (1, 4, *range(6, 12)):
        assert lines.count(f"{damaged}/albedo/{number}.* is missing") == 1


def test_problems_are_a_record_with_json(damaged: Path, scenes: Path) -> None:
    done = run("check", str(damaged), "--json")
    record = json.loads(done.stdout)
    assert (done.exit_code, record["data"]) == (4, str(damaged))
    names = ("albedo/1.*", "albedo/4.*", "shading/5.*", "shading/2.png", "albedo/3.png")
    for name in names:
        assert sum(str(damaged / name) in problem for problem in record["problems"]) == 1
    assert len(record["problems"]) == len(names)
    assert json.loads(run("check", "arap:/no/such", "--json").stdout)["problems"]
    assert json.loads(run("check", f"arap:{scenes}", "--json").stdout)["problems"] == []
    (scenes / "a_shading.png").unlink()
    problems = json.loads(run("check", f"arap:{scenes}", "--json").stdout)["problems"]
    assert problems == [f"{scenes}/a_shading.png is missing"]


def test_sizes_are_compared_where_a_reader_does_not(scenes: Path) -> None:
    cv2.imwrite(str(scenes / "a_albedo.png"), np.full((12, 16, 3), 90, np.uint8))
    with pytest.raises(DataError, match="albedo of a has 16×12 pixels, its photo has 8×6"):
        check_dataset(f"arap:{scenes}")


def test_of_many_cases_some_are_read_or_all(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("intrinsic_cli.runs.datasets.MOST", 2)
    some, every = check_dataset(str(photos)), check_dataset(str(photos), every=True)
    assert (some.read, every.read) == (2 + min(2, some.cases["val"]), 12)
    assert f"  read: {some.read}  " in run("check", str(photos)).stdout
    assert "read:" not in run("check", str(photos), "--all").stdout


def test_what_a_dataset_is_too_small_for_is_told_before_it_fails(photos: Path) -> None:
    for path in [*photos.glob("*/[2-9].png"), *photos.glob("*/1?.png")]:
        path.unlink()
    done = run("check", str(photos))
    assert done.exit_code == 0
    assert "note: only 1 of the 2 photos in" in done.stderr
    assert "photos to train on, too few to be cut into 3 parts" in done.stderr
    for path in photos.glob("*/1.png"):
        path.unlink()
    assert "is too small to be split" in run("check", str(photos)).stderr


def test_reflection_tells_how_many_photos_training_wants(photos: Path) -> None:
    assert not check_dataset(f"reflection:{photos}").notes
    (photos / "photo" / "0.png").unlink()
    (note,) = check_dataset(f"reflection:{photos}").notes
    assert "too few for 3 parts of mixtures" in note
    assert "at least 12" in note


def test_offers_that_no_batch_holds_are_a_slip_of_the_reader(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offers = frozenset({"photo", "albedo", "shading", "mask", "depth"})
    monkeypatch.setattr("intrinsic_cli.kit.data.folder.Folder.offers", offers)
    with pytest.raises(PluginError, match="folder offers depth, but its batches have no such key"):
        check_dataset(str(photos))


def test_prepare_knows_whom_it_can_help(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'mit' needs no preparation") as told:
        prepare_dataset("mit", tmp_path, tmp_path)
    assert "celeba, cub, faces, faces-light, heads, hypersim, sfsnet" in told.value.hint
    with pytest.raises(UsageError, match="no dataset called 'castles'"):
        prepare_dataset("castles", tmp_path, tmp_path)
    with pytest.raises(DataError, match="not a folder"):
        prepare_dataset("cub", tmp_path / "nowhere", tmp_path)


def test_prepare_from_the_command_line(tmp_path: Path) -> None:
    for split in ("train", "test"):
        place = tmp_path / split / "all"
        place.mkdir(parents=True)
        cv2.imwrite(str(place / "1.jpg"), np.full((8, 8, 3), 90, np.uint8))
    done = run("prepare", "celeba", str(tmp_path), str(tmp_path))
    assert (done.exit_code, done.stdout) == (0, f"{tmp_path}: 2 made\n")
    assert check_dataset(f"celeba:{tmp_path}").cases == {"train": 1, "val": 1}


def test_every_dataset_says_where_it_comes_from_and_how_it_is_scored() -> None:
    known = {spec.name for spec in PROTOCOLS}
    for spec in DATASETS:
        page = run(spec.name).stdout
        assert page.startswith(f"{spec.name}: {spec.summary}\n")
        for told in (spec.licence, spec.layout, spec.page, *spec.protocols, *spec.offers):
            assert told in page
        assert set(spec.protocols) <= known
        (row,) = json.loads(run(spec.name, "--json").stdout)["datasets"]
        assert {"page", "protocols", "layout", "licence", "prepare", "trains"} <= row.keys()


def test_the_list_is_a_short_table() -> None:
    lines = run().stdout.splitlines()
    assert len(lines) == len(load_registry().datasets) + 1 <= 40
    assert max(map(len, lines)) <= 110
    assert lines[0].split() == ["name", "what", "path", "train", "measure"]
    rows = {line.split()[0]: line.split()[-3:] for line in lines[1:]}
    assert rows["mit"] == ["needed", "-", "yes"]
    assert rows["synth"] == ["optional", "yes", "yes"]
    assert rows["unpaired"] == ["needed", "yes", "-"]
    names = [row["name"] for row in json.loads(run("--json").stdout)["datasets"]]
    assert names == list(rows)


def test_what_may_be_trained_on_is_what_has_batches() -> None:
    from intrinsic_cli.kit.data.readers import MeasuringReader

    for spec in DATASETS:
        module, _, opens = spec.target.partition(":")
        made = get_type_hints(getattr(import_module(module), opens))["return"]
        assert spec.trains != issubclass(made, MeasuringReader), spec.name


def test_unknown_names_are_told_with_those_there_are() -> None:
    done = run("mitt")
    assert done.exit_code == 2
    assert "no dataset called 'mitt'" in done.stderr
    assert "mit-lights" in done.stderr
