"""What the verbs are asked and what they answer: plain values, made by the command line or by a
Python caller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class DecomposeRequest:
    """Photos → layers. ``method`` is ``NAME`` or ``NAME:VARIANT``; ``layers`` empty means the
    method's own."""

    inputs: tuple[Path, ...]
    method: str = "flow"
    out: Path = Path("iid-out")
    layers: tuple[str, ...] = ()
    format: str = "png"
    input_encoding: str = "auto"
    recursive: bool = False
    force: bool = False
    device: str = "auto"
    precision: str = "auto"
    batch_size: int | None = None
    seed: int = 0
    weights: str = ""
    options: tuple[str, ...] = ()
    config: Path | None = None
    preview: bool = False
    stdin: bytes | None = None


@dataclass(frozen=True, slots=True)
class InputReport:
    """What became of one input: status ``done``, ``skipped`` or ``failed``."""

    input: str
    status: str
    layers: Mapping[str, str] = field(default_factory=dict)
    sidecar: str = ""
    seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class DecomposeReport:
    """All inputs of one run."""

    inputs: tuple[InputReport, ...]
    seconds: float = 0.0

    def count(self, status: str) -> int:
        """How many inputs ended with ``status``."""
        return sum(item.status == status for item in self.inputs)


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """Train every stage of ``method`` (or ``stage`` alone). ``seconds`` bounds this call, not the
    run."""

    method: str
    data: str = "synth"
    out: Path | None = None
    config: Path | None = None
    overrides: tuple[str, ...] = ()
    steps: int | None = None
    seconds: float | None = None
    resume: Path | None = None
    init: str = ""
    stage: str = ""
    device: str = "auto"
    precision: str = "auto"
    nproc: int = 1
    install: bool = False


@dataclass(frozen=True, slots=True)
class TrainReport:
    """Where a run stands: ``finished`` is False when time or a signal stopped it (resume
    continues)."""

    folder: Path
    weights: Path | None
    finished: bool
    stages: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EvaluateRequest:
    """Score methods, and layers that any program left on disk, on one dataset (``NAME``,
    ``NAME:PATH`` or a folder).

    ``predictions``: ``DIR`` or ``NAME=DIR``; ``patterns`` (``LAYER=GLOB`` with ``{case}``) and
    ``predictions_encoding`` say how their files are named and read. ``options`` (``key=value``) and
    ``weights`` may name the method they are for: ``flow.steps=2``, ``flow=best.safetensors``.
    ``ledger`` is a file that keeps the figures of finished cases until all are done, so that a
    killed evaluation goes on where it was."""

    methods: tuple[str, ...] = ()
    data: str = "synth"
    split: str = "val"
    limit: int | None = None
    device: str = "auto"
    precision: str = "auto"
    seed: int = 0
    weights: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    config: Path | None = None
    predictions: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    predictions_encoding: str = "auto"
    save: Path | None = None
    ledger: Path | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """A case that one row of the table lacks (every row, where ``method`` is ""), why, and the
    files it wanted."""

    method: str
    case: str
    error: str
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EvaluateReport:
    """``rows``: one per method, with its protocol, number of cases, mean of each metric and, under
    ``intervals``, where the mean lies (``resampling`` says how that was found). ``about`` is the
    protocol in words, with its ``source``."""

    data: str
    protocol: str
    rows: tuple[Mapping[str, Any], ...]
    cases: tuple[Mapping[str, Any], ...] = ()
    failures: tuple[Failure, ...] = ()
    split: str = "val"
    about: Mapping[str, str] = field(default_factory=dict)
    resampling: Mapping[str, Any] = field(default_factory=dict)
