"""What the verbs are asked and what they answer: plain values, made by the command line or by a
Python caller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

#: What ``device`` of a request may be: a pattern.
DEVICE = r"auto|cpu|mps|cuda(:\d+)?"
#: The largest ``seed``: torch takes 64 bits, NumPy nothing below 0.
MAX_SEED = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Request:
    """What a verb is asked. A Python caller may give paths as text, and one of several things by
    itself: they are made what their fields say."""

    def __post_init__(self) -> None:
        for item in fields(self):
            meant = _as_meant(getattr(self, item.name), str(item.type))
            object.__setattr__(self, item.name, meant)


@dataclass(frozen=True, slots=True)
class DecomposeRequest(Request):
    """Photos → outputs. ``method`` is ``NAME`` or ``NAME:VARIANT``; ``layers`` (outputs of any
    kind) empty means the method's own. ``name`` is what the names of a photo's files begin with:
    ``{stem}.{method}``, see ``iid decompose --help``. ``exr_layer`` chooses one of an EXR that has
    several. ``mask`` is the silhouette of the photo's object, or a folder of those of all photos;
    it stands in for their alpha. ``shard`` is the part of the photos to do, ``I/N`` ("": all of
    them); ``retry_failed`` does only those that failed last. ``watch`` goes on with photos that
    come into the folders, for ``seconds`` or until a signal ends it. ``metadata`` is ``keep`` or
    ``strip``; ``exr_multilayer`` puts all layers, and the photo, into one EXR; ``max_pixels``
    (None: as many as fit into memory) bounds what is read. ``sequence`` takes numbered photos for
    frames of a clip; ``fps`` is how many frames a second are taken of videos (None: all) and shown
    of sequences (None: 24); ``frames`` says whether layers of clips become pictures (None: those
    of sequences do), as they do with every format but png. ``engine`` is ``threads`` of this
    process, or ``ray``: workers of a cluster."""

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
    name: str = "{stem}"
    exr_layer: str = ""
    mask: Path | None = None
    shard: str = ""
    retry_failed: bool = False
    watch: bool = False
    seconds: float | None = None
    metadata: str = "keep"
    exr_multilayer: bool = False
    max_pixels: int | None = None
    fps: float | None = None
    sequence: bool = False
    frames: bool | None = None
    engine: str = "threads"


@dataclass(frozen=True, slots=True)
class InputReport:
    """What became of one input: status ``done``, ``skipped`` or ``failed``. ``outputs`` are the
    files of everything by name, ``layers`` those of the layers; ``written`` the files that are new;
    ``notes`` sentences worth reading."""

    input: str
    status: str
    layers: Mapping[str, str] = field(default_factory=dict)
    sidecar: str = ""
    seconds: float = 0.0
    error: str = ""
    outputs: Mapping[str, list[str]] = field(default_factory=dict)
    preview: str = ""
    written: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DecomposeReport:
    """All inputs of one run; ``interrupted`` says that a signal ended one that watched."""

    inputs: tuple[InputReport, ...]
    seconds: float = 0.0
    interrupted: bool = False

    def count(self, status: str) -> int:
        """How many inputs ended with ``status``."""
        return sum(item.status == status for item in self.inputs)


@dataclass(frozen=True, slots=True)
class TrainRequest(Request):
    """Train every stage of ``method`` (or ``stage`` alone). ``seconds`` bounds this call, not the
    run. ``method`` and ``data`` may be "": with ``resume``, or where ``config`` is that of a run,
    those of the run; else the dataset is ``synth``."""

    method: str = ""
    data: str = ""
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
    """How far a run is: ``finished`` is False when time or a signal stopped it (resume continues).
    ``weights`` are the ones to use (the installed copy, where they were installed), None where the
    run has not come to its last stage; ``method`` is NAME or NAME:VARIANT; ``interrupted`` says
    that a signal stopped it."""

    folder: Path
    weights: Path | None
    finished: bool
    stages: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    method: str = ""
    installed: bool = False
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class EvaluateRequest(Request):
    """Score methods, and layers that any program left on disk, on one dataset (``NAME``,
    ``NAME:PATH`` or a folder).

    ``predictions``: ``DIR`` or ``NAME=DIR``; ``patterns`` (``LAYER=GLOB`` with ``{case}``) and
    ``predictions_encoding`` say how their files are named and read. ``options`` (``key=value``) and
    ``weights`` may name the method they are for: ``flow.steps=2``, ``flow=best.safetensors``.
    ``split`` is ``val``, ``train`` or ``all``. ``cache`` is a file that keeps the scores of
    finished cases until all are done, so that a killed evaluation goes on where it was."""

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
    cache: Path | None = None


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
    protocol in words, with its ``source``; ``metrics`` says of each score which way it is better
    (``lower``, ``higher`` or ``neither``) and its ``unit``. ``made_by`` says of each method's row
    what its numbers hang on: version of iid, options (and those ``changed`` from their defaults),
    the hash of the weights, seed, device and precision."""

    data: str
    protocol: str
    rows: tuple[Mapping[str, Any], ...]
    cases: tuple[Mapping[str, Any], ...] = ()
    failures: tuple[Failure, ...] = ()
    split: str = "val"
    about: Mapping[str, str] = field(default_factory=dict)
    resampling: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    made_by: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def _as_meant(given: Any, kind: str) -> Any:
    """``given`` as a field of this ``kind`` (its annotation, as text) holds it."""
    if kind.startswith("tuple"):
        alone = isinstance(given, str | Path)
        several = (given,) if alone else tuple(given)
        return tuple(_as_path(one, kind) for one in several)
    return _as_path(given, kind)


def _as_path(given: Any, kind: str) -> Any:
    """Text becomes a path where the field holds paths."""
    if "Path" in kind and isinstance(given, str):
        return Path(given)
    return given
