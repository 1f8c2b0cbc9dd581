"""Regions of a photo: found, cut out and turned upright.

Coordinates are continuous: a pixel in column 0 reaches from x = 0 to 1. A region whose angle is 0
is brought to whole pixels, so that cutting it out is an exact slice and pasting it back exact too;
a turned one is sampled bilinearly. Beyond the photo its border is repeated.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from intrinsic_cli.api import DataError, Decomposer, PluginError, Region

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.kit.files.photo import Photo

#: Coordinates of several points.
Points = NDArray[np.float64]
Numbers = TypeVar("Numbers", float, NDArray[np.float64])

NOTHING = "the method found nothing to look at in it"
#: A box whose sides are longer than the photo's by this factor is a slip of its finder.
LONGEST = 8.0


def find_regions(decomposer: Decomposer, photo: Photo) -> Sequence[Region] | None:
    """The regions a method wants to see, or None: all of the photo. DataError where it finds none,
    PluginError where what it finds is no region of this photo."""
    regions = decomposer.regions(_shown(decomposer, photo))
    if regions is None:
        return None
    if not regions:
        raise DataError(NOTHING)
    height, width = photo.pixels.shape[:2]
    for region in regions:
        _check(region, height, width)
    return regions


def _shown(decomposer: Decomposer, photo: Photo) -> Image:
    """What a method looks for regions in: the photo, with its alpha where the frame wants that."""
    if not decomposer.frame.alpha:
        return photo.pixels
    height, width = photo.pixels.shape[:2]
    alpha = np.ones((height, width), np.float32) if photo.alpha is None else photo.alpha
    return np.dstack([photo.pixels, alpha])


def is_whole(region: Region, height: int, width: int) -> bool:
    """Is the region all of a photo, so that there is nothing to cut out and nothing to blend?"""
    return region.angle == 0 and region.feather == 0 and region.box == (0, 0, width, height)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the picture cut out for a region lies in its photo: ``x``, ``y`` of its middle, its own
    ``height`` and ``width``, and the ``angle`` in degrees by which it stands turned there,
    counter-clockwise."""

    x: float
    y: float
    height: int
    width: int
    angle: float

    @property
    def turn(self) -> tuple[float, float]:
        """Cosine and sine of the angle."""
        radians = math.radians(self.angle)
        return math.cos(radians), math.sin(radians)

    @property
    def reach(self) -> tuple[float, float]:
        """How far its turned picture reaches from the middle, along x and along y."""
        cos, sin = map(abs, self.turn)
        wide = self.width / 2
        high = self.height / 2
        across = wide * cos + high * sin
        along = wide * sin + high * cos
        return across, along

    @property
    def corner(self) -> tuple[float, float]:
        """Where in the photo its upper left corner is."""
        return self.in_photo(0.0, 0.0)

    @property
    def transform(self) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
        """The affine map [2,3] from (x, y, 1) in the upright picture to (x, y) in the photo."""
        cos, sin = self.turn
        x, y = self.corner
        return (cos, sin, x), (-sin, cos, y)

    def in_photo(self, x: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
        """Points of the upright picture → points of the photo."""
        cos, sin = self.turn
        right = x - self.width / 2
        down = y - self.height / 2
        across = cos * right + sin * down
        along = cos * down - sin * right
        across += self.x
        along += self.y
        return across, along

    def in_picture(self, x: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
        """Points of the photo → points of the upright picture."""
        cos, sin = self.turn
        across = x - self.x
        along = y - self.y
        right = cos * across - sin * along
        down = sin * across + cos * along
        right += self.width / 2
        down += self.height / 2
        return right, down


def place_of(region: Region) -> Place:
    """Where the picture of ``region`` lies."""
    left, top, box_width, box_height = region.box
    height = max(1, round(box_height))
    width = max(1, round(box_width))
    if region.angle == 0:
        x = round(left) + width / 2
        y = round(top) + height / 2
    else:
        x = left + box_width / 2
        y = top + box_height / 2
    return Place(x, y, height, width, region.angle)


def cut(photo: Photo, region: Region) -> Photo:
    """The region as a photo of its own, upright, with the region's alpha or else the photo's."""
    place = place_of(region)
    pixels = _cut(photo.pixels, place)
    alpha: Image | None = photo.alpha if region.alpha is None else region.alpha
    if alpha is None:
        return replace(photo, pixels=pixels)
    return replace(photo, pixels=pixels, alpha=_cut(alpha[..., None], place)[..., 0])


def sample(image: Image, x: Points, y: Points) -> Image:
    """``image`` [H,W,C] at the points ``x``, ``y`` [h,w] → [h,w,C], bilinear; beyond its border the
    nearest pixel."""
    height, width = image.shape[:2]
    across = 2 * x / width - 1
    along = 2 * y / height - 1
    points = np.stack([across, along], axis=-1, dtype=np.float32, casting="same_kind")
    grid = torch.from_numpy(points)[None]
    planes = torch.from_numpy(image)[None].permute(0, 3, 1, 2)
    found = functional.grid_sample(planes, grid, "bilinear", "border", align_corners=False)
    pixels = found[0].permute(1, 2, 0)
    return np.ascontiguousarray(pixels.numpy())


def _cut(image: Image, place: Place) -> Image:
    height, width = image.shape[:2]
    if place.angle == 0:
        left, top = map(round, place.corner)
        rows = _line(top, place.height, height)
        columns = _line(left, place.width, width)
        cut_out: Image = image[rows][:, columns]
        return cut_out
    y, x = np.mgrid[: place.height, : place.width] + 0.5
    photo_x, photo_y = place.in_photo(x, y)
    near_rows = _around(photo_y, height)
    near_columns = _around(photo_x, width)
    near = np.ascontiguousarray(image[near_rows, near_columns])
    return sample(near, photo_x - near_columns.start, photo_y - near_rows.start)


def _line(first: int, count: int, length: int) -> NDArray[np.int64]:
    """``count`` places from ``first`` on, those beyond ``length`` replaced by the outermost."""
    wanted = np.arange(first, first + count)
    return np.clip(wanted, 0, length - 1)


def _around(positions: Points, length: int) -> slice:
    """The pixels that lie about ``positions``, at least one."""
    lowest = math.floor(positions.min()) - 1
    highest = math.ceil(positions.max()) + 1
    first = min(max(lowest, 0), length - 1)
    last = max(min(highest, length), first + 1)
    return slice(first, last)


def _check(region: Region, height: int, width: int) -> None:
    if not isinstance(region, Region):
        raise PluginError(f"the method gave {type(region).__name__} as a region")
    if region.alpha is not None and np.shape(region.alpha) != (height, width):
        message = f"the method gave a region with an alpha {np.shape(region.alpha)}"
        raise PluginError(f"{message} in a photo of {width}x{height} pixels")
    numbers = (*region.box, region.angle, region.feather)
    if not all(map(math.isfinite, numbers)):
        raise PluginError(f"the method gave a region that is not finite: {numbers}")
    box_width, box_height = region.box[2:]
    if box_width <= 0 or box_height <= 0:
        raise PluginError(f"the method gave a region without area: {region.box}")
    too_long = max(box_width, box_height) > LONGEST * max(width, height)
    if too_long or _is_outside(place_of(region), height, width):
        message = f"the method gave a region {region.box} that does not fit a photo"
        raise PluginError(f"{message} of {width}x{height} pixels")


def _is_outside(place: Place, height: int, width: int) -> bool:
    """Is no pixel of the photo in it?"""
    reach_x, reach_y = place.reach
    beside = place.x + reach_x <= 0 or place.x - reach_x >= width
    return beside or place.y + reach_y <= 0 or place.y - reach_y >= height
