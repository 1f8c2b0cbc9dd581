"""A photo with what is known of the faces in it: all that lighting them anew takes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from iid_residual.lights import LIGHT, light_of
from intrinsic_cli.api import Decomposition
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.inference.regions import place_of

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

#: Over which part of its side one face's light gives way to its neighbour's.
_GIVES_WAY = 0.1


@dataclass(frozen=True, slots=True)
class LitFace:
    """A face in a photo: the pixels it may cover, the middle ``x``, ``y`` and ``side`` of its
    region, and its own light [27] in the photo's directions."""

    rows: slice
    columns: slice
    x: float
    y: float
    side: float
    light: Tensor

    @property
    def window(self) -> tuple[slice, slice]:
        """Its pixels, as an index."""
        return self.rows, self.columns

    def moved(self, left: int, top: int, scale: float, size: tuple[int, int]) -> LitFace:
        """Where the face is in the part of the photo that begins at ``left``, ``top``, scaled to
        ``size`` (height, width)."""
        height, width = size
        rows = _moved(self.rows, top, scale, height)
        columns = _moved(self.columns, left, scale, width)
        x = scale * (self.x - left)
        y = scale * (self.y - top)
        side = scale * self.side
        return LitFace(rows, columns, x, y, side, self.light)


@dataclass(frozen=True, slots=True)
class Portrait:
    """A photo [H,W,3] linear with its normals [H,W,3] (x right, y up), a mask [H,W,1] of the heads
    in it, and its faces."""

    photo: Image
    normals: Image
    mask: Image
    faces: Sequence[LitFace]

    def closer(self, longest: int) -> Portrait:
        """The part of the photo about the faces, its longer side at most ``longest`` pixels."""
        rows = _all_of([face.rows for face in self.faces])
        columns = _all_of([face.columns for face in self.faces])
        window = (rows, columns)
        height, width = self.mask[window].shape[:2]
        scale = min(1.0, longest / max(height, width))
        size = scaled(height, width, scale)
        left, top = columns.start, rows.start
        faces = [face.moved(left, top, scale, size) for face in self.faces]
        photo = smaller(self.photo[window], size)
        normals = smaller(self.normals[window], size)
        mask = smaller(self.mask[window], size)
        return Portrait(photo, normals, mask, faces)

    def share(self, face: LitFace) -> Image:
        """How much of each pixel [h,w,1] about a face is its own and not its neighbours'."""
        others = [one for one in self.faces if one is not face and _overlap(one, face)]
        distances = [_distance(face, other) for other in others]
        if not distances:
            return np.ones((1, 1, 1), np.float32)
        own = _distance(face, face)
        nearer = np.min(distances, axis=0) - own
        share = nearer / (2 * _GIVES_WAY) + 0.5
        share = np.clip(share, 0, 1)
        return np.asarray(share[..., None], np.float32)


def portrait_of(result: Decomposition) -> Portrait:
    """The faces of a photo that was taken apart, with the light that was found on each."""
    height, width = result.photo.shape[:2]
    faces = []
    for region, record in zip(result.regions, result.records[LIGHT]["faces"], strict=True):
        light = light_of(record)
        assert light is not None
        place = place_of(region)
        across, along = place.reach
        rows = span(place.y - along, place.y + along, height)
        columns = span(place.x - across, place.x + across, width)
        side = float(min(region.box[2:]))
        faces.append(LitFace(rows, columns, place.x, place.y, side, light))
    layers = result.layers
    return Portrait(result.photo, layers["normals"], layers["mask"], faces)


def scaled(height: int, width: int, scale: float) -> tuple[int, int]:
    """A size (height, width) times ``scale``, in whole pixels."""
    return max(1, round(scale * height)), max(1, round(scale * width))


def smaller(layer: Image, size: tuple[int, int]) -> Image:
    """A layer [h,w,C] at ``size`` (height, width), which is no larger."""
    height, width = size
    channels = layer.shape[2]
    given = np.ascontiguousarray(layer)
    small = cv2.resize(given, (width, height), interpolation=cv2.INTER_AREA)
    picture: Image = small.reshape(height, width, channels)
    return picture


def span(first: float, last: float, length: int) -> slice:
    """The pixels between two positions, of ``length``; at least one."""
    start = min(max(math.floor(first), 0), length - 1)
    stop = max(min(math.ceil(last), length), start + 1)
    return slice(start, stop)


def _moved(pixels: slice, first: int, scale: float, length: int) -> slice:
    start = pixels.start - first
    stop = pixels.stop - first
    return span(scale * start, scale * stop, length)


def _all_of(parts: Sequence[slice]) -> slice:
    """From the first to the last pixel of any part."""
    start = min(part.start for part in parts)
    stop = max(part.stop for part in parts)
    return slice(start, stop)


def _overlap(one: LitFace, other: LitFace) -> bool:
    beside = one.columns.stop <= other.columns.start or other.columns.stop <= one.columns.start
    above = one.rows.stop <= other.rows.start or other.rows.stop <= one.rows.start
    return not beside and not above


def _distance(window: LitFace, face: LitFace) -> Image:
    """How far the pixels of one face's window are from a face's middle, in its sides [h,w]."""
    y = (np.arange(window.rows.start, window.rows.stop) + 0.5 - face.y) / face.side
    x = (np.arange(window.columns.start, window.columns.stop) + 0.5 - face.x) / face.side
    return np.asarray(np.hypot(y[:, None], x[None]), np.float32)
