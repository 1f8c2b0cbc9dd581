"""Any photos, each changed in ways that leave its paint as it is: does the albedo stay?"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from intrinsic_cli.api import Case
from intrinsic_cli.kit.data.crops import WHITE
from intrinsic_cli.kit.data.layer_files import refuse_empty, visible
from intrinsic_cli.kit.data.layouts import STEADY
from intrinsic_cli.kit.data.photos import is_photo, reduced
from intrinsic_cli.kit.data.readers import MeasuringReader
from intrinsic_cli.kit.files.photo import read_photo
from intrinsic_cli.kit.light.changes import CHANGES, Change
from intrinsic_cli.kit.light.colour import brightest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intrinsic_cli.api.outputs import Image


class ChangedPhoto(NamedTuple):
    """A file, and what is done to its photo, the ``number``-th of all changes."""

    path: Path
    number: int
    change: Change


class Steady(MeasuringReader[ChangedPhoto]):
    """The photos in ``folder`` (not below it) without any truth: every photo as it is and changed
    by all of :data:`~intrinsic_cli.kit.light.changes.CHANGES`, one case a change, photo by photo.

    Photos are reduced to 1024 pixels a side. The mask leaves out what is transparent or clipped,
    before or after the change."""

    name = "steady"
    protocol = "steady"
    offers = frozenset({"photo", "mask"})
    cases_of_photo = len(CHANGES)

    def __init__(self, folder: Path) -> None:
        photos = sorted(filter(is_photo, folder.glob("*")))
        if not photos:
            refuse_empty("photos", folder, STEADY)
        entries = []
        for path in photos:
            for number, change in enumerate(CHANGES):
                entries.append(ChangedPhoto(path, number, change))
        self._entries = {"val": entries}

    def _case(self, entry: ChangedPhoto) -> Case:
        whole, mask = _pixels(entry.path)
        change = entry.change
        photo = np.ascontiguousarray(change.photo(whole))
        unclipped = brightest(photo) < WHITE
        known = change.moved(mask) & unclipped
        name = f"{entry.path.stem}_{entry.number:02d}_{change.kind}"
        return Case(name, photo, {}, known, {"scene": entry.path.name, "change": change})


def open_steady(path: Path) -> Steady:
    """The photos in ``path``. DataError where there is none."""
    return Steady(path)


@lru_cache(maxsize=2)
def _pixels(path: Path) -> tuple[Image, NDArray[np.bool_]]:
    """The photo, and where it is neither transparent nor clipped."""
    photo = read_photo(path)
    shown = visible(photo)
    pixels, shown = reduced(photo.pixels, shown)
    unclipped = brightest(pixels) < WHITE
    return pixels, np.asarray(shown & unclipped)
