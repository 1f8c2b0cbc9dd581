"""MIT intrinsic images (Grosse et al., ICCV 2009), also as relit by SIRFS: photographed objects with true layers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.api import Case
from intrinsic_cli.api.data import Split
from intrinsic_cli.kit.colour import decode_codes, encode_codes
from intrinsic_cli.kit.data.pictures import MeasuringOnly, read_layer, read_mask, refuse_empty, require_files
from intrinsic_cli.kit.image import read_photo
from intrinsic_cli.kit.score import exposure

Image = NDArray[np.float32]

LAYOUT = "OBJECT/diffuse.png, reflectance.png, shading.png (or shading_color.png) and mask.png, 16-bit linear"


class Mit(MeasuringOnly):
    """One case an object. The photo is ``diffuse``, exposed so that its 99th percentile in the mask (over pixels and
    channels) is 1 and fed as a 16-bit sRGB PNG would be: clipped at 1 and rounded.

    ``exact`` leaves clipping and rounding out; the published constant baselines were measured so. diffuse equals
    reflectance · shading only up to an unknown scale per object and channel, so nothing but scale-invariant scores
    makes sense here.
    """

    name = "mit"
    protocol = "mit"
    offers = frozenset({"photo", "albedo", "shading", "mask"})

    def __init__(self, folder: Path, exact: bool = False) -> None:
        self._exact = exact
        self._objects = sorted(path.parent for path in folder.glob("*/diffuse.png"))
        if not self._objects:
            refuse_empty("MIT objects", folder, LAYOUT)
        wanted = [place / f"{name}.png" for place in self._objects for name in ("reflectance", "mask")]
        require_files("MIT", folder, [*wanted, *map(_shading_file, self._objects)], LAYOUT)

    def cases(self, split: Split = "val", limit: int | None = None) -> Iterator[Case]:
        """The objects by name."""
        self._only_val(split)
        return (self._case(place) for place in self._objects[:limit])

    def _case(self, place: Path) -> Case:
        mask = read_mask(place / "mask.png")
        photo = read_photo(place / "diffuse.png", "linear").pixels
        gain = exposure(photo, mask)
        photo = photo * np.float32(gain)
        truth = {"albedo": read_layer(place / "reflectance.png"), "shading": read_layer(_shading_file(place))}
        return Case(place.name, photo if self._exact else as_png16(photo), truth, mask, {"exposure": gain})


def open_mit(path: Path) -> Mit:
    """The objects below ``path`` (or below ``path/data``, as the original archive unpacks)."""
    return Mit(path / "data" if (path / "data").is_dir() else path)


def as_png16(photo: Image) -> Image:
    """What is left of a linear photo after a 16-bit sRGB PNG: clipped to 0..1, rounded in code."""
    return decode_codes(encode_codes(photo, 16), "srgb")


def _shading_file(place: Path) -> Path:
    coloured = place / "shading_color.png"
    return coloured if coloured.is_file() else place / "shading.png"
