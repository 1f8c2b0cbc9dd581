"""What a method has to say about a photo reaches its user: as a warning, and in the sidecar."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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
