"""Little training runs, begun and resumed, and what they tell."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from two_stages import SMALL, registry

from intrinsic_cli.kit.networks.checkpoint import load_weights
from intrinsic_cli.requests import TrainReport, TrainRequest
from intrinsic_cli.runs.train import train


class Told:
    """Progress that remembers the notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def start(self, label: str, total: int | None) -> None: ...
    def advance(self, by: int = 1, facts: Any = None) -> None: ...
    def finish(self) -> None: ...
    def note(self, text: str) -> None:
        self.notes.append(text)

    def __contains__(self, part: str) -> bool:
        return any(part in note for note in self.notes)


def run(request: TrainRequest, told: Told | None = None) -> TrainReport:
    request = replace(request, overrides=(*SMALL, *request.overrides), device="cpu")
    return train(request, told or Told(), registry())


def resume(folder: Path, told: Told | None = None, **more: Any) -> TrainReport:
    request = TrainRequest(resume=folder, device="cpu", **more)
    return train(request, told or Told(), registry())


def value(path: Path | None, net: str) -> float:
    assert path
    return float(load_weights(path)[0][net]["weight"].item())
