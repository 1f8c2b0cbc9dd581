"""``iid evaluate`` at the prompt: its table, its files, its exit codes."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from intrinsic_cli.cli import iid, score_table
from intrinsic_cli.kit.score.columns import LMSE
from intrinsic_cli.requests import EvaluateReport, Failure


def run(*words: str) -> Result:
    return CliRunner().invoke(iid, ["evaluate", *words])


@pytest.fixture
def mit(tmp_path: Path) -> str:
    """Three objects, and layers of another program, which had no luck with the last."""
    rng = np.random.default_rng(0)
    for name in ("apple", "box", "cup"):
        albedo = np.full((30, 40, 3), 0.5) * rng.random(3)
        shading = rng.uniform(0.3, 1, (30, 40, 1)).repeat(3, 2)
        layers = {
            "reflectance": albedo,
            "shading": shading,
            "diffuse": albedo * shading,
            "mask": np.ones((30, 40)),
        }
        (tmp_path / "lab" / name).mkdir(parents=True)
        for layer, values in layers.items():
            Image.fromarray((values * 255).astype(np.uint8)).save(
                tmp_path / "lab" / name / f"{layer}.png"
            )
        (tmp_path / "tool").mkdir(exist_ok=True)
        for layer in ("reflectance", "shading") if name != "cup" else ():
            Image.fromarray((layers[layer] * 255).astype(np.uint8)).save(
                tmp_path / "tool" / f"{name}_{layer}.bmp"
            )
    return f"mit:{tmp_path / 'lab'}"


def test_layers_of_another_program(mit: str, tmp_path: Path) -> None:
    page, table = tmp_path / "t.csv", tmp_path / "t.json"
    words = (
        "--data",
        mit,
        "--predictions",
        f"theirs={tmp_path / 'tool'}",
        "--predictions-encoding",
        "linear",
    )
    done = run(*words, "--csv", str(page), "--json", str(table))
    assert done.exit_code == 3, done.output
    assert (
        "failed: theirs lacks cup_reflectance.bmp, cup_shading.bmp: 1 case is not scored"
        in done.stderr
    )
    head, first = done.stdout.splitlines()[:2]
    assert head.split()[:4] == ["method", "cases", "lmse", "↓"]
    assert first.split()[:2] == ["theirs", "2"]
    assert "±" in first
    assert "protocol mit" in done.stdout
    assert "source: " in done.stdout
    with page.open() as file:
        row = next(csv.DictReader(file))
    assert float(row["lmse_low"]) <= float(row["lmse"]) <= float(row["lmse_high"])
    told = json.loads(table.read_text())
    assert told["failures"][0]["missing"] == ["cup_reflectance.bmp", "cup_shading.bmp"]
    assert {case["case"] for case in told["cases"]} == {"apple", "box", "cup"}
    assert (
        run("--data", mit, "--predictions", str(tmp_path / "tool"), "--limit", "2").exit_code == 0
    )


def test_a_pattern_says_how_files_are_called(mit: str, tmp_path: Path) -> None:
    for path in (tmp_path / "tool").glob("*_shading.bmp"):
        path.rename(path.with_name(f"light of {path.name.split('_')[0]}.bmp"))
    pattern = ("--pattern", "shading=light of {case}.bmp", "--limit", "2")
    done = run("--data", mit, "--predictions", str(tmp_path / "tool"), *pattern)
    assert done.exit_code == 0, done.output
    assert "shading_lmse" in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--predictions", "nowhere"), 4, "no folder of predictions at nowhere"),
        (("--predictions", "{lab}/apple"), 4, "holds no albedo"),
        (("--predictions", "{lab}/../tool", "--pattern", "albedo=x"), 2, "no pattern"),
        (
            ("--predictions", "{lab}/../tool", "--data", "mit:{lab}/../tool"),
            4,
            "holds no MIT objects",
        ),
        (("-m", "gray", "-O", "flow.steps=2"), 2, "not evaluated"),
        (("-m", "gray", "--config", "nowhere.toml"), 2, "nowhere.toml"),
    ],
)
def test_mistakes(words: tuple[str, ...], code: int, told: str, mit: str) -> None:
    lab = mit.partition(":")[2]
    done = run("--data", "synth", *(word.replace("{lab}", lab) for word in words))
    assert (done.exit_code, done.stdout) == (code, ""), done.output
    assert told in done.stderr
    assert done.stderr.count("\n") <= 2


def test_a_half_missing_dataset_names_its_files(mit: str, tmp_path: Path) -> None:
    (tmp_path / "lab" / "box" / "shading.png").unlink()
    done = run("--data", mit, "--predictions", str(tmp_path / "tool"))
    assert done.exit_code == 4
    assert "lacks box/shading.png" in done.stderr


ROWS = (
    {
        "method": "a",
        "protocol": "p",
        "cases": 4,
        "lmse": 0.2,
        "ssim": 0.5,
        "intervals": {"lmse": (0.1, 0.3)},
    },
    {
        "method": "b",
        "protocol": "p",
        "cases": 4,
        "lmse": 0.1,
        "ssim": 0.4,
        "intervals": {"lmse": (0.1, 0.1)},
    },
    {"method": "c", "protocol": "p", "cases": 1, "lmse": 0.0, "ssim": 1.0, "intervals": {}},
)
RESAMPLING = {"level": 0.95, "resamples": 2000, "seed": 0}
METRICS = {
    "lmse": {"better": "lower", "unit": ""},
    "ssim": {"better": "higher", "unit": "%"},
}
REPORT = EvaluateReport("synth", "p", ROWS, resampling=RESAMPLING, metrics=METRICS)


def test_the_best_is_bold_on_a_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr("sys.stdout", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    score_table.show(REPORT)
    drawn = screen.getvalue()
    assert "\x1b[1m0.1000\x1b[0m" in drawn
    assert "\x1b[1m0.5000\x1b[0m" in drawn, "higher is better"
    assert "\x1b[1m0.0000" not in drawn, "a row of fewer cases does not compete"
    assert "±0.1000" in drawn


def test_in_a_pipe_there_are_plain_columns(capsys: pytest.CaptureFixture[str]) -> None:
    score_table.show(REPORT)
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert out.splitlines()[0].split() == ["method", "cases", "lmse", "↓", "ssim", "%", "↑"]
    assert "0.2000 ±0.1000" in out
    assert "2000 resamples, seed 0" in out


def test_options_that_were_given_stand_below(capsys: pytest.CaptureFixture[str]) -> None:
    made_by = {"a": {"changed": {"size": 128, "steps": 2}}, "b": {"changed": {}}}
    score_table.show(replace(REPORT, made_by=made_by))
    lines = capsys.readouterr().out.splitlines()
    assert "a with size=128, steps=2" in lines
    assert not any(line.startswith("b with") for line in lines)


def test_what_columns_are_about_stands_below(capsys: pytest.CaptureFixture[str]) -> None:
    one, other = METRICS.values()
    told = {
        "albedo_lmse": {**one, "about": "an error"},
        "ssim": {**other, "about": ""},
        "lmse": {**one, "about": "an error"},
    }
    score_table.show(replace(REPORT, metrics=told))
    lines = capsys.readouterr().out.splitlines()
    assert "albedo_lmse, lmse: an error" in lines
    assert not any(line.startswith("ssim:") for line in lines)


def test_many_missing_files_are_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    lost = [Failure("tool", str(i), "x", (f"{i}.png",)) for i in range(9)]
    score_table.tell([*lost, Failure("", "case 3", "damaged"), Failure("flow", "pear", "too big")])
    assert capsys.readouterr().err.splitlines() == [
        "failed: case 3: damaged",
        "failed: flow on pear: too big",
        "failed: tool lacks 0.png, 1.png, 2.png, 3.png and 5 more: 9 cases are not scored",
    ]


def test_json_and_csv_without_a_file_are_printed_instead_of_the_table(
    mit: str, tmp_path: Path
) -> None:
    words = ("--data", mit, "--predictions", str(tmp_path / "tool"), "--limit", "1")
    for asked in (("--json",), ("--json", "-")):
        done = run(*asked, *words)
        assert done.exit_code == 0, done.output
        told = json.loads(done.stdout)
        assert set(told) >= {"rows", "cases", "failures", "metrics", "protocol"}
        assert told["metrics"]["lmse"] == asdict(LMSE)
        assert (LMSE.better, LMSE.unit) == ("lower", "")
    rows = list(csv.DictReader(io.StringIO(run(*words, "--csv").stdout)))
    assert rows[0]["method"] == "tool"


def test_both_splits_at_once(mit: str, tmp_path: Path) -> None:
    words = ("--data", mit, "--predictions", str(tmp_path / "tool"), "--limit", "2")
    done = run(*words, "--split", "all")
    assert done.exit_code == 0, done.output
    assert "split all" in done.stdout
    done = run(*words, "--split", "train")
    assert done.exit_code == 4
    assert "mit has no 'train' split: all its 3 photos are in 'val'" in done.stderr
    assert "--split all" in done.stderr


def test_what_libraries_print_stays_out_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    called = []
    place = "intrinsic_cli.kit.files.quiet.separate_streams"
    monkeypatch.setattr(place, lambda: called.append(True))
    CliRunner().invoke(iid, ["evaluate", "-m", "nobody"])
    assert called == [True]
