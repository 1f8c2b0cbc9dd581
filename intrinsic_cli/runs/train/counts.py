"""How much data a run has, in words."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from intrinsic_cli.api import IidError, Progress, Source

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Split

#: What the photos of a split are for.
PURPOSE: Mapping[Split, str] = {"train": "learn from", "val": "validate with"}


def counted(source: Source) -> str:
    """``12 photos to learn from, 4 photos to validate with``; "" where the dataset cannot tell."""
    counts = []
    for split, purpose in PURPOSE.items():
        with contextlib.suppress(IidError):  # not every dataset can tell
            counts.append(f"{_of_split(source.counts(split))} to {purpose}")
    return ", ".join(counts)


def tell_change(before: str, now: str, progress: Progress) -> None:
    """Say where a resumed run has other data than it had."""
    if before and now != before:
        told = f"the data has changed: it was {before}, and is {now or 'of unknown size'}"
        why = "scores before and after do not compare, and decide which weights are the best"
        progress.note(f"{told}; {why}; a new run with --init has no such past")


def _of_split(counts: Mapping[str, int]) -> str:
    """``12 photos``, or a number a collection: ``12 photo, 4 albedo``."""
    if counts.keys() == {"photo"}:
        return "1 photo" if counts["photo"] == 1 else f"{counts['photo']} photos"
    return ", ".join(f"{count} {name}" for name, count in counts.items())
