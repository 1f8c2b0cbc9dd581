"""What is printed on things: checks, stripes, letters, steps of gray, spots.

Rendered surfaces are mostly of one paint or of a texture; real ones carry prints, whose edges are
as sharp and as gray as those of shadows. A flat print is laid over an object in perspective, bent
by the object's own form, and ends where the object does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.kit.data.synth.flat_prints import SIDE, draw_print
from intrinsic_cli.kit.data.synth.perspective import pixel_places, random_perspective
from intrinsic_cli.kit.files.opencv import cv2

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intrinsic_cli.api.outputs import Image

_MOST = 3  # objects with a print
_SMALLEST = 0.02  # of the picture: an object that is printed on
_BEND = 0.35  # of an object's size: how far its form shifts a print, at most
_SCALE = 0.5  # spread of the logarithm of a print's size, relative to its object's
_LENS = 0.6  # pixels: no edge is sharper


def print_on(
    albedo: Image, ids: NDArray[np.uint8], normals: Image, rng: np.random.Generator
) -> Image:
    """Linear reflectance [H,W,3] with prints on one to three of the larger objects ``ids`` [H,W]
    (0 is backdrop), whose ``normals`` are [H,W,3]."""
    printed = albedo
    for number in _chosen(ids, rng):
        where = ids == number
        laid = _laid(draw_print(rng), where, normals, rng)
        seen = laid * where[..., None]
        bare = 1 - seen[..., 3:]
        printed = printed * bare + seen[..., :3]
    return np.asarray(printed, np.float32)


def _chosen(ids: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """The numbers of the objects that are printed on."""
    names, counts = np.unique(ids, return_counts=True)
    enough = counts > _SMALLEST * ids.size
    things = names > 0
    large = names[enough & things]
    wanted = int(rng.integers(1, _MOST + 1))
    count = min(wanted, large.size)
    return rng.choice(large, size=count, replace=False)


def _laid(flat: Image, where: NDArray[np.bool_], normals: Image, rng: np.random.Generator) -> Image:
    """A flat print [SIDE,SIDE,4] over the box of the object that is ``where``: [H,W,4]."""
    size = np.exp(rng.normal(0, _SCALE))
    places = _in_box(where)
    bend = rng.uniform(0, _BEND)
    bent = places + bend * normals[..., :2]
    shrunk = np.asarray(bent / size, np.float32)
    view = random_perspective(rng)
    seen = cv2.perspectiveTransform(shrunk, view)
    across, down = cv2.split(seen * SIDE)
    border = cv2.BORDER_WRAP
    laid = cv2.remap(flat, across, down, cv2.INTER_LINEAR, borderMode=border)
    soft = cv2.GaussianBlur(laid, (3, 3), _LENS)
    return np.asarray(soft, np.float32)


def _in_box(where: NDArray[np.bool_]) -> Image:
    """[H,W,2]: the places x, y of all pixels in the box around what is ``where``, whose longer side
    is 1."""
    height, width = where.shape
    rows, columns = np.nonzero(where)
    left, right = _ends(columns)
    top, bottom = _ends(rows)
    corner = np.array([left / width, top / height], np.float32)
    longer = max((right - left) / width, (bottom - top) / height)
    places = pixel_places(height, width)
    return (places - corner) / np.float32(longer)


def _ends(places: NDArray[np.intp]) -> tuple[int, int]:
    """The first of some places, and the one after the last."""
    return int(places.min()), int(places.max()) + 1
