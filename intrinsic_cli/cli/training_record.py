"""How weights came to be, in four lines. The record itself, with every setting: ``--json``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Record = Mapping[str, Any]


def summary(record: Record) -> list[tuple[str, str]]:
    """(what, how) of a weights file's record: data, steps, time, scores. Empty where it tells
    nothing."""
    if "damaged" in record:
        return [("damaged", str(record["damaged"]))]
    if record.get("imported"):
        return [("imported", "from a checkpoint of the paper's own code")]
    before = [run for run in _earlier(record) if _count(run)]
    earlier_steps = f"{sum(map(_count, before)):,}" if before else ""
    earlier_time = _time(sum(map(_seconds, before)))
    lines = [
        ("data", _data(record)),
        ("steps", _after(_steps(record), earlier_steps)),
        ("time", _after(_time(_seconds(record)), earlier_time)),
        ("scores", _scores(record)),
    ]
    return [(what, how) for what, how in lines if how]


def _earlier(record: Record) -> Iterator[Record]:
    """The runs whose weights this one began with, the first of them first."""
    begun = record.get("from")
    if isinstance(begun, Mapping) and begun:
        yield from _earlier(begun)
        yield begun


def _data(record: Record) -> str:
    """The dataset's name; where it lay concerns nobody else."""
    name = str(record.get("data", "")).partition(":")[0]
    return "a folder" if "/" in name or "\\" in name else name


def _steps(record: Record) -> str:
    return ", ".join(f"{stage} {told.get('steps', 0):,}" for stage, told in _stages(record).items())


def _count(record: Record) -> int:
    return sum(told.get("steps", 0) for told in _stages(record).values())


def _seconds(record: Record) -> float:
    return float(sum(told.get("seconds", 0) for told in _stages(record).values()))


def _scores(record: Record) -> str:
    """The losses of the last stage on held-out data."""
    words = []
    for told in list(_stages(record).values())[-1:]:
        for name, value in told.items():
            if name not in ("steps", "seconds"):
                words.append(f"{name} {value:.3g}")
    return ", ".join(words)


def _stages(record: Record) -> Mapping[str, Mapping[str, Any]]:
    stages = record.get("stages")
    if not isinstance(stages, Mapping):
        return {}
    return {name: told for name, told in stages.items() if isinstance(told, Mapping)}


def _after(now: str, before: str) -> str:
    return f"{now}, after {before} in earlier runs" if before and now else now


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds else ""
    minutes = round(seconds / 60)
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{minutes} min"
