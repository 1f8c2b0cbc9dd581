"""``--shard``: parts of the photos, who tells a process its part, and what the parts make."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from decomposing import everything, go, photo, statuses, tell

from intrinsic_cli.api import UsageError
from intrinsic_cli.runs.decompose.shards import Shard, parse_shard, shard_here

NAMES = [Path(f"day{number % 7}/{number:04}.jpg") for number in range(2000)]


def test_every_photo_is_in_one_shard() -> None:
    for count in (1, 2, 3, 8):
        owners = [
            [number for number in range(1, count + 1) if Shard(number, count).owns(name)]
            for name in NAMES
        ]
        assert all(len(each) == 1 for each in owners)
        sizes = [sum(each == [number] for each in owners) for number in range(1, count + 1)]
        assert max(sizes) < 1.25 * min(sizes) + 10


def test_a_photo_stays_in_its_shard_on_every_machine() -> None:
    """Written down once: a change would send finished photos to other shards."""
    assert [Shard(1, 2).owns(name) for name in NAMES[:8]] == EARLIER
    composed, decomposed = Path("caf\u00e9.jpg"), Path("cafe\u0301.jpg")
    for number in range(1, 6):
        assert Shard(number, 5).owns(composed) == Shard(number, 5).owns(decomposed)
    assert sum(Shard(number, 5).owns(Path("\udcff.jpg")) for number in range(1, 6)) == 1


EARLIER = [False, True, True, False, False, False, True, False]


def test_shards_are_counted_from_one() -> None:
    assert parse_shard("2/4") == Shard(2, 4)
    assert str(Shard(2, 4)) == "2/4"
    assert parse_shard("") == Shard(1, 1)
    for wrong in ("0/4", "5/4", "1/0", "2", "a/b", "1/4/2", "-1/4", "1.5/4"):
        with pytest.raises(UsageError, match="shard"):
            parse_shard(wrong)


@pytest.mark.parametrize(
    ("environment", "shard"),
    [
        ({}, ""),
        ({"RANK": "0", "WORLD_SIZE": "1"}, ""),
        ({"RANK": "2", "WORLD_SIZE": "4"}, "3/4"),
        ({"SLURM_PROCID": "0", "SLURM_NTASKS": "8"}, "1/8"),
        ({"SLURM_PROCID": "1", "SLURM_NTASKS": "8", "RANK": "0", "WORLD_SIZE": "2"}, "1/2"),
        ({"SLURM_PROCID": "0", "SLURM_NTASKS": "8", "SLURM_JOB_ID": "5"}, ""),
        (
            {
                "SLURM_PROCID": "7",
                "SLURM_NTASKS": "8",
                "SLURM_JOB_ID": "5",
                "SLURM_STEP_ID": "0",
            },
            "8/8",
        ),
        ({"RANK": "x", "WORLD_SIZE": "4"}, ""),
    ],
)
def test_the_surroundings_tell_the_shard(environment: dict[str, str], shard: str) -> None:
    found, note = shard_here(environment)
    assert found == shard
    assert bool(note) == bool(shard)
    assert shard in note


def folder(path: Path, count: int = 9) -> Path:
    for number in range(count):
        photo(path / f"{'ab'[number % 2]}/{number}.png")
    for twin in ("twin.png", "twin.bmp"):
        photo(path / twin)
    return path


def test_shards_make_what_one_run_makes(tmp_path: Path) -> None:
    photos = folder(tmp_path / "photos")
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    go(photos, out=whole, recursive=True)
    reports = [go(photos, out=parts, recursive=True, shard=f"{i}/3") for i in (1, 2, 3)]
    assert sum(report.count("done") for report in reports) == 11
    assert max(report.count("done") for report in reports) < 11
    assert everything(parts).keys() == everything(whole).keys()
    for name, data in everything(whole).items():
        if name.endswith(".png"):
            assert everything(parts)[name] == data
    again = go(photos, out=parts, recursive=True)
    assert statuses(again) == {"done": 0, "skipped": 11, "failed": 0}


def test_each_shard_leaves_a_marker_when_it_is_done(tmp_path: Path) -> None:
    photos, out = folder(tmp_path / "photos"), tmp_path / "out"
    _, notes = tell(photos, out=out, recursive=True, shard="2/3")
    (marker,) = out.glob("*.done.json")
    assert marker.name == "iid-manifest-2-of-3.done.json"
    told = json.loads(marker.read_text())
    assert f"shard 2/3 has {told['done']} of 11 photos" in notes
    assert (told["shard"], told["skipped"], told["failed"]) == ("2/3", 0, 0)
    assert len((out / "iid-manifest-2-of-3.jsonl").read_text().splitlines()) == told["done"]


def test_a_shard_without_photos_is_done(tmp_path: Path) -> None:
    photos, out = photo(tmp_path / "photos/a.png").parent, tmp_path / "out"
    reports = [go(photos, out=out, shard=f"{number}/2") for number in (1, 2)]
    assert sorted(report.count("done") for report in reports) == [0, 1]
    assert len(list(out.glob("*.done.json"))) == 2
