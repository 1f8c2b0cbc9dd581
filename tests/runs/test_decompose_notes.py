"""What a method has to say about a photo reaches its user: as a warning, and in the sidecar."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from decomposing import photo, tell
from torch import Tensor

from intrinsic_cli.api import (
    Decomposer,
    Frame,
    Method,
    MethodSpec,
    NoOptions,
    Outputs,
    Region,
    Runtime,
    Source,
    TrainConfig,
    Trainer,
    Variant,
)
from intrinsic_cli.kit.files.exr import write_exr
from intrinsic_cli.registry import Registry


class Doubtful(Decomposer):
    """Finds nothing, and says so; the picture's mask is not sure either."""

    frame = Frame()

    def regions(self, photo: Any) -> list[Region]:
        return [Region.whole(*photo.shape[:2], notes=("nothing was found; all of it is taken",))]

    def __call__(self, photos: Tensor) -> Outputs:
        return Outputs(layers={"mask": photos[:, :1]}, notes=[["its mask is a guess"]])


class Doubts(Method[NoOptions, TrainConfig]):
    def decomposer(self, state: Any, options: NoOptions, runtime: Runtime) -> Decomposer:
        return Doubtful()

    def trainer(self, stage: str, config: TrainConfig, source: Source, runtime: Runtime) -> Trainer:
        raise NotImplementedError


SPEC = MethodSpec(
    "doubts", "is not sure", f"{__name__}:Doubts", (Variant("", ("mask",), stages=()),)
)


def test_notes_are_warnings_and_stand_in_the_sidecar(tmp_path: Path) -> None:
    given = photo(tmp_path / "dark.png")
    registry = Registry({"doubts": SPEC})
    report, told = tell(given, out=tmp_path / "out", method="doubts", registry=registry)
    sentences = ["nothing was found; all of it is taken", "its mask is a guess"]
    assert list(report.inputs[0].notes) == sentences
    for sentence in sentences:
        assert f"{given}: {sentence}" in told.splitlines()
    sidecar = json.loads((tmp_path / "out" / "dark.iid.json").read_text())
    assert sidecar["notes"] == sentences


def test_without_notes_the_sidecar_has_none(tmp_path: Path) -> None:
    tell(photo(tmp_path / "dark.png"), out=tmp_path / "out")
    assert "notes" not in json.loads((tmp_path / "out" / "dark.iid.json").read_text())


def test_floats_that_are_no_light_are_told(tmp_path: Path) -> None:
    pixels = np.full((20, 30, 3), 0.5, np.float32)
    shares = {"most": 0.9, "few": 0.005}
    for name, share in shares.items():
        flat = pixels.copy().reshape(-1, 3)
        flat[: round(share * len(flat)), 1] = np.nan
        write_exr(tmp_path / f"{name}.exr", flat.reshape(pixels.shape))
    sentence = "90% of its pixels were negative, infinite or not a number, and were repaired"
    report, told = tell(*(tmp_path / f"{name}.exr" for name in shares), out=tmp_path / "out")
    assert [list(item.notes) for item in report.inputs] == [[sentence], []]
    assert f"{tmp_path / 'most.exr'}: {sentence}" in told.splitlines()
    assert json.loads((tmp_path / "out/most.iid.json").read_text())["notes"] == [sentence]


def test_frames_that_are_no_light_are_told(tmp_path: Path) -> None:
    for number, broken in enumerate((0, 20, 5, 4)):
        pixels = np.full((20, 30, 3), 0.5, np.float32)
        pixels[:broken] = -np.inf
        write_exr(tmp_path / f"a.{number:04}.exr", pixels)
    report, _ = tell(tmp_path / "a.####.exr", out=tmp_path / "out")
    repaired = "negative, infinite or not a number, and were repaired"
    assert list(report.inputs[0].notes)[:2] == [
        f"frame a.0001: all of its pixels were {repaired}",
        f"pixels of some frames were {repaired}",
    ]
