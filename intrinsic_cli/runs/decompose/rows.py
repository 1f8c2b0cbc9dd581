"""Photos to do, and what became of them, as lines of JSON: all that workers of other processes are
told and tell. Names may hold bytes that are no text, which JSON can carry and tables cannot."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from intrinsic_cli.api import DataError, IidError, PluginError, UsageError, WeightsError
from intrinsic_cli.requests import InputReport
from intrinsic_cli.runs.decompose.out_folder import OutputLostError
from intrinsic_cli.runs.decompose.targets import Target

#: Errors that end a run; each comes back as what it was, for the sake of the exit code.
_ENDS = (UsageError, DataError, WeightsError, PluginError, OutputLostError)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a worker tells: of the photo ``number`` its ``report``, or an ``error`` after which it
    cannot go on; and its ``notes``."""

    number: int = -1
    report: InputReport | None = None
    error: IidError | None = None
    notes: Sequence[str] = ()


def photo_row(number: int, target: Target) -> str:
    """One photo for a worker, which may be in another folder: all paths are absolute."""
    paths = {"path": target.path, "base": target.base, "mask": target.mask}
    whole = {name: str(absolute(path)) for name, path in paths.items() if path is not None}
    return json.dumps({"number": number, "input": target.input, **whole})


def read_photo_row(row: str) -> tuple[int, Target]:
    """The photo of :func:`photo_row`, and its number."""
    told = json.loads(row)
    base = Path(told["base"])
    target = Target(told["input"], _path(told, "path"), base, _path(told, "mask"))
    return told["number"], target


def answer_row(answer: Answer) -> str:
    """What a worker tells, for :func:`read_answer_row`."""
    told: dict[str, Any] = {"number": answer.number, "notes": list(answer.notes)}
    if answer.report is not None:
        told["report"] = asdict(answer.report)
    if answer.error is not None:
        error = answer.error
        told["error"] = [type(error).__name__, error.message, error.hint]
    return json.dumps(told)


def read_answer_row(row: str) -> Answer:
    """What a worker told."""
    told = json.loads(row)
    report = error = None
    if "report" in told:
        facts = told["report"]
        for name in ("written", "notes"):
            facts[name] = tuple(facts[name])
        report = InputReport(**facts)
    if "error" in told:
        name, message, hint = told["error"]
        kinds = {kind.__name__: kind for kind in _ENDS}
        error = kinds.get(name, IidError)(message, hint)
    return Answer(told["number"], report, error, told["notes"])


def as_asked(report: InputReport, target: Target) -> InputReport:
    """A worker's report with paths as the run was given them: all files lie beside each other."""
    folder = target.base.parent

    def here(file: str) -> str:
        return str(folder / Path(file).name) if file else ""

    return replace(
        report,
        input=target.input,
        layers={name: here(file) for name, file in report.layers.items()},
        outputs={name: [here(file) for file in files] for name, files in report.outputs.items()},
        sidecar=here(report.sidecar),
        preview=here(report.preview),
        written=tuple(map(here, report.written)),
    )


def _path(told: Mapping[str, Any], name: str) -> Path | None:
    return Path(told[name]) if name in told else None


def absolute(path: Path) -> Path:
    """The path from the root on; links stay as they are."""
    return Path(os.path.abspath(path))  # noqa: PTH100  Path's own keeps ".."
