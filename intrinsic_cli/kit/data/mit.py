"""MIT intrinsic images (Grosse et al., ICCV 2009), also as relit by SIRFS: photographed objects
with true layers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.api import Case
from intrinsic_cli.kit.data.layer_files import read_layer, read_mask, refuse_empty
from intrinsic_cli.kit.data.layouts import MIT, MIT_LIGHTS
from intrinsic_cli.kit.data.readers import MeasuringReader
from intrinsic_cli.kit.files.photo import read_photo
from intrinsic_cli.kit.light.colour import decode_codes, encode_codes
from intrinsic_cli.kit.light.white import white_gain

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

_FIRST = ("diffuse", "reflectance")  # either of them makes a folder an object


class Mit(MeasuringReader[Path]):
    """One case an object. The photo is ``diffuse``, exposed so that its 99th percentile in the mask
    (over pixels and channels) is 1 and fed as a 16-bit sRGB PNG would be: clipped at 1 and rounded.

    ``exact`` leaves clipping and rounding out; the published constant baselines were measured so.
    diffuse equals reflectance · shading only up to an unknown scale per object and channel, so
    nothing but scale-invariant scores makes sense here."""

    name = "mit"
    offers = frozenset({"photo", "albedo", "shading", "mask"})

    def __init__(self, folder: Path, exact: bool = False, protocol: str = "mit") -> None:
        self._exact, self.protocol = exact, protocol
        objects = sorted({path.parent for name in _FIRST for path in folder.glob(f"*/{name}.png")})
        if not objects:
            refuse_empty("MIT objects", folder, MIT)
        self._entries = {"val": objects}
        self._require_files("MIT", folder, MIT)

    def _case(self, entry: Path) -> Case:
        mask = read_mask(entry / "mask.png")
        photo = read_photo(entry / "diffuse.png", "linear").pixels
        gain = white_gain(photo, mask)
        photo = photo * np.float32(gain)
        if not self._exact:
            photo = as_png16(photo)
        truth = {
            "albedo": read_layer(entry / "reflectance.png"),
            "shading": read_layer(_shading_file(entry)),
        }
        return Case(entry.name, photo, truth, mask, {"exposure": gain})

    def _files(self, entry: Path) -> Sequence[Path]:
        names = ("diffuse", "reflectance", "mask")
        return [*(entry / f"{name}.png" for name in names), _shading_file(entry)]


class MitLights(MeasuringReader[Path]):
    """Every object under its ten lights, one case a light: no truth, but one and the same paint
    (``constancy``).

    All photos of an object share one exposure, that of its brightest."""

    name = "mit-lights"
    protocol = "constancy"
    offers = frozenset({"photo", "mask"})

    def __init__(self, folder: Path) -> None:
        photos = sorted(folder.glob("*/light[0-9][0-9].png"))
        if not photos:
            refuse_empty("MIT objects under several lights", folder, MIT_LIGHTS)
        self._entries = {"val": photos}
        self._require_files("MIT", folder, MIT_LIGHTS)

    def _case(self, entry: Path) -> Case:
        place = entry.parent
        mask = read_mask(place / "mask.png")
        photo = read_photo(entry, "linear").pixels
        photo = as_png16(photo * np.float32(_shared_gain(place)))
        facts = {"scene": place.name, "light": entry.stem}
        return Case(f"{place.name}_{entry.stem}", photo, {}, mask, facts)

    def _files(self, entry: Path) -> Sequence[Path]:
        return [entry.with_name("mask.png")]


@lru_cache(maxsize=4)
def _shared_gain(place: Path) -> float:
    """That of the brightest of an object's photos."""
    mask = read_mask(place / "mask.png")
    photos = sorted(place.glob("light[0-9][0-9].png"))
    return min(white_gain(read_photo(path, "linear").pixels, mask) for path in photos)


def open_mit(path: Path) -> Mit:
    """The objects below ``path`` (or below ``path/data``, as the original archive unpacks)."""
    return Mit(_data(path))


def open_barron(path: Path) -> Mit:
    """The same, scored as Barron & Malik do."""
    return Mit(_data(path), protocol="mit-barron")


def open_lights(path: Path) -> MitLights:
    """The objects under all their lights."""
    return MitLights(_data(path))


def _data(path: Path) -> Path:
    return path / "data" if (path / "data").is_dir() else path


def as_png16(photo: Image) -> Image:
    """What is left of a linear photo after a 16-bit sRGB PNG: clipped to 0..1, rounded in code."""
    return decode_codes(encode_codes(photo, 16), "srgb")


def _shading_file(place: Path) -> Path:
    coloured = place / "shading_color.png"
    return coloured if coloured.is_file() else place / "shading.png"
