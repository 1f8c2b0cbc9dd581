"""One face under many lights, as the Extended Yale Face Database B names its files (Georghiades et
al. 2001): ``yaleB01_P00A+035E+15.pgm`` is subject 01 in pose 00 under one lamp at an azimuth of 35°
and an elevation of 15° to the camera's axis.

Everywhere in ``iid`` a positive azimuth is the picture's right, the subject's left. The database
says "to the right of the subject", which is read either way; so the photos themselves are asked on
which side names with a positive azimuth are bright, and all azimuths are turned round where it is
the picture's left. A note tells what was found."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.api import Case, DataError
from intrinsic_cli.kit.data.layer_files import read_mask
from intrinsic_cli.kit.data.readers import MeasuringReader
from intrinsic_cli.kit.files.formats import PHOTO_SUFFIXES
from intrinsic_cli.kit.files.photo import read_photo

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intrinsic_cli.api.outputs import Image

_NAME = re.compile(r"(.+?)A([+-]\d{1,3})E([+-]\d{1,3})")
LAYOUT = "NAMEA+035E+15.pgm: azimuth 35°, elevation 15°"
#: Photos asked for the side of positive azimuths, and the least azimuth that tells.
_ASKED, _LEAST = 40, 20


@dataclass(frozen=True, slots=True)
class Lit:
    """A photo of the ``subject`` under a lamp at these degrees."""

    path: Path
    subject: str
    azimuth: int
    elevation: int


class FacesLight(MeasuringReader[Lit]):
    """The photos below a folder whose names tell the light, subject by subject. Their faces fill
    them, but where a ``SUBJECT_mask.png`` lies beside them.

    The numbers of ``.pgm`` files are taken for linear light, as the database's camera gave them;
    other files are read as photos are."""

    name = "faces-light"
    protocol = "faces-light"
    offers = frozenset({"photo", "mask"})

    def __init__(self, folder: Path) -> None:
        photos = sorted(_found(folder), key=lambda lit: (lit.subject, lit.path))
        if not photos:
            raise DataError(f"{folder} holds no faces under named lights", f"expected: {LAYOUT}")
        self._entries = {"val": photos}
        self._side = side_of(photos)
        where = "right" if self._side > 0 else "left"
        self.notes = (f"positive azimuths in these names are the picture's {where}",)

    def _case(self, entry: Lit) -> Case:
        pixels = _read(entry.path)
        mask = np.ones(pixels.shape[:2], bool)
        outline = entry.path.with_name(f"{entry.subject}_mask.png")
        if outline.is_file():
            mask = read_mask(outline)
        direction = direction_of(self._side * entry.azimuth, entry.elevation)
        facts = {"scene": str(entry.path.with_name(entry.subject)), "towards": direction}
        return Case(entry.path.stem, pixels, {}, mask, facts)


def open_faces_light(path: Path) -> FacesLight:
    """The reader of ``faces-light``."""
    return FacesLight(path)


def direction_of(azimuth: float, elevation: float) -> NDArray[np.float64]:
    """The unit vector [3] to a lamp at these degrees: x right, y up, z to the viewer; 0, 0 is the
    camera, positive azimuth the picture's right."""
    around, up = math.radians(azimuth), math.radians(elevation)
    level = math.cos(up)
    return np.array([level * math.sin(around), math.sin(up), level * math.cos(around)])


def side_of(photos: Sequence[Lit]) -> int:
    """1 where names with a positive azimuth are bright on the picture's right, −1 where on its
    left."""
    telling = [lit for lit in photos if _LEAST <= abs(lit.azimuth) <= 180 - _LEAST]
    step = max(1, len(telling) // _ASKED)
    total = 0.0
    for lit in telling[::step]:
        total += math.copysign(1, lit.azimuth) * _brighter_right(_read(lit.path))
    return -1 if total < 0 else 1


def _brighter_right(photo: Image) -> float:
    """From −1, all light on the left half, to 1."""
    columns = photo.mean(axis=(0, 2))
    half = len(columns) // 2
    left = float(columns[:half].mean())
    right = float(columns[-half:].mean())
    both = max(right + left, 1e-6)
    return (right - left) / both


def _found(folder: Path) -> list[Lit]:
    photos = []
    for path in folder.rglob("*"):
        told = _NAME.fullmatch(path.stem)
        if told and path.suffix.lower() in PHOTO_SUFFIXES:
            photos.append(Lit(path, told[1], int(told[2]), int(told[3])))
    return photos


def _read(path: Path) -> Image:
    encoding = "linear" if path.suffix.lower() == ".pgm" else "auto"
    return read_photo(path, encoding).pixels
