"""Colour profiles as files embed them (ICC.1): what their codes mean in linear light."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.kit.light.curves import Curve, Formula, Table, formula_of, is_srgb
from intrinsic_cli.kit.light.primaries import profile_to_rec709, rec709_matrix

#: Spaces of the codes that are read here, as profiles spell them.
RGB, GRAY, CMYK = "RGB", "GRAY", "CMYK"

_HEADER, _TAG = 128, 12  # bytes
_MOST_TAGS = 256
_COLOURS = ("r", "g", "b")
#: How far the whole of red, green and blue may be from white by rounding, and a matrix from none.
_ROUNDED, _SAME = 4e-3, 4e-3


@dataclass(frozen=True, slots=True)
class Profile:
    """What an ICC profile says: ``name`` to be read, ``space`` of its codes. ``curves`` (one, or
    one a colour) and ``matrix`` (3×3, to linear Rec. 709) are () and None where it has tables
    instead, which only a colour engine can follow."""

    name: str
    space: str
    curves: tuple[Curve, ...] = ()
    matrix: NDArray[np.float64] | None = None

    @property
    def is_srgb(self) -> bool:
        """Does it say what is taken for granted without a profile?"""
        if not self.curves or not all(map(is_srgb, self.curves)):
            return False
        return self.matrix is None or bool(np.abs(self.matrix - np.eye(3)).max() < _SAME)


#: Adobe RGB (1998): what cameras mean that only say R03 in their EXIF.
ADOBE_PRIMARIES = (0.64, 0.33, 0.21, 0.71, 0.15, 0.06, 0.3127, 0.3290)
ADOBE_POWER = 563 / 256


def adobe_rgb() -> Profile:
    """Adobe RGB (1998), by its numbers."""
    matrix = rec709_matrix(ADOBE_PRIMARIES)
    return Profile("Adobe RGB (1998)", RGB, (Formula(ADOBE_POWER),) * 3, matrix)


@lru_cache(maxsize=8)
def read_profile(data: bytes) -> Profile:
    """The profile in ``data``. ValueError where it is damaged or none."""
    if data[36:40] != b"acsp":
        raise ValueError("no colour profile")
    space = data[16:20].decode("latin-1").strip()
    try:
        tags = _tags(data)
        name = _name(tags.get("desc", b""))
        if any(tag.startswith("A2B") for tag in tags):
            return Profile(name, space)
        if space == GRAY and "kTRC" in tags:
            return Profile(name, space, (_curve(tags["kTRC"]),))
        if space == RGB and data[20:24] == b"XYZ " and "rTRC" in tags:
            curves = tuple(_curve(tags[f"{colour}TRC"]) for colour in _COLOURS)
            return Profile(name, space, curves, _matrix(tags))
    except (struct.error, KeyError) as error:
        raise ValueError("the colour profile is damaged") from error
    return Profile(name, space)


def _tags(data: bytes) -> dict[str, bytes]:
    """Signature → the bytes of the tag."""
    (count,) = struct.unpack_from(">I", data, _HEADER)
    tags = {}
    for number in range(min(count, _MOST_TAGS)):
        at = _HEADER + 4 + _TAG * number
        signature, place, length = struct.unpack_from(">4sII", data, at)
        tags[signature.decode("latin-1")] = data[place : place + length]
    return tags


def _name(tag: bytes) -> str:
    """The profile's own name, "" where it has none that can be read."""
    try:
        if tag.startswith(b"mluc"):
            length, place = struct.unpack_from(">II", tag, 20)
            text = tag[place : place + length].decode("utf-16-be", "replace")
        else:
            (length,) = struct.unpack_from(">I", tag, 8)
            text = tag[12 : 12 + length].decode("latin-1")
    except struct.error:
        return ""
    printable = "".join(letter for letter in text if letter.isprintable())
    return printable.strip()[:80]


def _curve(tag: bytes) -> Curve:
    """A transfer curve. struct.error or ValueError where it breaks off or is none."""
    if tag.startswith(b"para"):
        (kind,) = struct.unpack_from(">H", tag, 8)
        count = min(7, (len(tag) - 12) // 4)
        return formula_of(kind, _fixed(tag, 12, count))
    if not tag.startswith(b"curv"):
        raise ValueError("no transfer curve")
    (count,) = struct.unpack_from(">I", tag, 8)
    if count == 0:
        return Formula(1.0)
    if count == 1:
        (power,) = struct.unpack_from(">H", tag, 12)
        return formula_of(0, [power / 256])
    if 12 + 2 * count > len(tag):
        raise ValueError("a transfer curve that breaks off")
    codes = np.frombuffer(tag, ">u2", count, 12)
    return Table(codes.astype(np.float64) / 65535)


def _matrix(tags: dict[str, bytes]) -> NDArray[np.float64]:
    """Linear codes → linear Rec. 709; where white is white but for rounding, it becomes so
    exactly."""
    columns = [_xyz(tags[f"{colour}XYZ"]) for colour in _COLOURS]
    matrix = profile_to_rec709() @ np.stack(columns, axis=1)
    if abs(np.linalg.det(matrix)) < 1e-6:
        raise ValueError("primaries that span no colours")
    white = matrix.sum(axis=1, keepdims=True)
    if np.abs(white - 1).max() < _ROUNDED:
        matrix = matrix / white
    return np.asarray(matrix)


def _xyz(tag: bytes) -> Sequence[float]:
    if not tag.startswith(b"XYZ "):
        raise ValueError("no colour of a primary")
    return _fixed(tag, 8, 3)


def _fixed(data: bytes, at: int, count: int) -> Sequence[float]:
    """Numbers with 16 bits behind the point."""
    numbers: tuple[Any, ...] = struct.unpack_from(f">{count}i", data, at)
    return [number / 65536 for number in numbers]
