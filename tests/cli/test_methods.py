"""What ``iid methods NAME`` tells people, and in which shape it tells scripts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from intrinsic_cli.cli import iid
from intrinsic_cli.cli.methods import _size
from intrinsic_cli.cli.training_record import summary


def told(*words: str) -> str:
    done = CliRunner().invoke(iid, ["methods", *words])
    assert done.exit_code == 0, done.output
    return done.stdout


def run(data: str, steps: int, seconds: float, **more: Any) -> dict[str, Any]:
    stages = {"main": {"steps": steps, "seconds": seconds, "loss": 0.51239, "psnr dB": 24.0}}
    config = {"steps": steps, "lr": 0.1}
    return {"data": data, "config": config, "command": "iid train", "stages": stages, **more}


def test_a_record_is_a_few_lines() -> None:
    first = run("synth:/home/me/shards", 2400, 3000)
    second = run("synth:/home/me/shards", 0, 10) | {"from": first}
    third = run("synth:/home/me/shards", 420, 75) | {"from": second}
    assert summary(third) == [
        ("data", "synth"),
        ("steps", "main 420, after 2,400 in earlier runs"),
        ("time", "1 min, after 50 min in earlier runs"),
        ("scores", "loss 0.512, psnr dB 24"),
    ]


def test_the_scores_are_those_of_the_last_stage() -> None:
    record = run("synth", 3, 60)
    record["stages"]["second"] = {"steps": 1, "seconds": 60, "loss": 0.25}
    assert summary(record) == [
        ("data", "synth"),
        ("steps", "main 3, second 1"),
        ("time", "2 min"),
        ("scores", "loss 0.25"),
    ]


@pytest.mark.parametrize(
    ("record", "lines"),
    [
        ({}, []),
        ({"damaged": "no header"}, [("damaged", "no header")]),
        ({"imported": True}, [("imported", "from a checkpoint of the paper's own code")]),
        ({"data": "/home/me/scenes"}, [("data", "a folder")]),
        ({"stages": "nonsense", "from": "nonsense"}, []),
        (
            {"stages": {"main": {"steps": 3, "seconds": 7300.0}}},
            [("steps", "main 3"), ("time", "2 h 2 min")],
        ),
    ],
)
def test_records_of_every_sort(record: dict[str, Any], lines: list[tuple[str, str]]) -> None:
    assert summary(record) == lines


@pytest.mark.parametrize("name", ["flow", "usi3d", "sils", "sils:reflection", "retinex"])
def test_weights_are_told_without_nesting_and_paths(name: str) -> None:
    page = told(name)
    behind = page.partition("\nWeights\n")[2]
    assert behind
    assert len(behind.splitlines()) <= 5
    assert "{" not in page
    assert "/" not in behind
    assert "0.0 MiB" not in page
    assert max(map(len, behind.splitlines())) < 160


def test_small_files_have_a_size_too() -> None:
    assert [_size(1431), _size(2**20 - 1), _size(2**20)] == ["1.4 KiB", "1024.0 KiB", "1.0 MiB"]


def test_a_variant_is_described_for_itself() -> None:
    page = told("sils:reflection")
    assert page.startswith("sils:reflection: ")
    assert "\nlayers    transmission, reflection\n" in page
    assert "sils-reflection  " in page
    assert "Variants" not in page
    default = told("sils")
    assert "\nlayers    albedo, shading\n" in default
    assert "\nsils:reflection  transmission, reflection" in default


def test_json_is_an_object_with_a_list_that_is_named() -> None:
    for words in ([], ["gray"], ["sils:reflection"]):
        page = json.loads(told(*words, "--json"))
        assert all(method["name"] for method in page["methods"])
    (method,) = page["methods"]
    assert method["name"] == "sils:reflection"
    assert method["weights"][0]["record"]["config"]


LISTS = {
    "methods": "methods",
    "methods retinex": "methods",
    "datasets": "datasets",
    "datasets synth": "datasets",
    "weights list": "weights",
    "weights verify retinex": "weights",
}


@pytest.mark.parametrize("words", LISTS)
def test_every_list_has_the_same_shape(words: str) -> None:
    done = CliRunner().invoke(iid, [*words.split(), "--json"])
    rows = json.loads(done.stdout)[LISTS[words]]
    assert rows
    assert all(row["name"] for row in rows)
