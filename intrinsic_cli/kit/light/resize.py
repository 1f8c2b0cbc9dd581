"""Sizes a network likes, and photos brought to them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from intrinsic_cli.api import Frame

#: Work on big pictures goes in bands of about this many pixels: large enough for speed, small
#: enough for the cache.
BAND_PIXELS = 1 << 18

_LARGER = 1.5  # how far a small photo is enlarged towards the size the network works best at


def fit_size(height: int, width: int, frame: Frame) -> tuple[int, int]:
    """The size ``(h, w)`` a photo is shown to a network at: short side ``frame.size``, aspect kept,
    both sides the nearest multiples of ``frame.multiple``. A photo is enlarged only as far as the
    multiple forces it."""
    scale = min(1.0, frame.size / min(height, width)) if frame.size else 1.0
    return round_to(height * scale, frame.multiple), round_to(width * scale, frame.multiple)


def round_to(length: float, of: int) -> int:
    """The multiple of ``of`` nearest to ``length``, at least one."""
    return max(1, int(length / of + 0.5)) * of


def resize(image: Tensor, size: tuple[int, int]) -> Tensor:
    """``[B,C,H,W]`` → ``[B,C,h,w]``: bilinear, with an antialiasing footprint along sides that
    shrink."""
    if tuple(image.shape[-2:]) == tuple(size):
        return image
    shrinks = size[0] < image.shape[-2] or size[1] < image.shape[-1]
    # The antialiased kernel is twice as fast on planes as on interleaved pixels; enlarging is the
    # other way round.
    source = image.contiguous() if shrinks else image
    return functional.interpolate(
        source, size=size, mode="bilinear", align_corners=False, antialias=shrinks
    )


def shrunk(
    read: Callable[[slice], Tensor],
    size: tuple[int, int],
    to: tuple[int, int],
    pixels: int | None = None,
) -> Tensor:
    """As :func:`resize`, of a picture of ``size`` that is never whole in memory: ``read(rows)``
    gives some of its rows, [1,C,len(rows),W], of about so many ``pixels`` (None: what suits the
    CPU). Rows are mixed first, as that is quick; then what is left is narrowed."""
    scale = size[0] / to[0]
    total = torch.zeros(to[0], 1)
    low = torch.zeros(1)
    for rows in bands(*size, pixels=pixels):
        band = read(rows)
        if rows.start == 0:
            low = band.new_zeros((*band.shape[:2], to[0], size[1]))
        made = _rows_made_of(rows, scale, to[0])
        shares = row_shares(made, rows, scale)
        low[:, :, made] += shares.to(band) @ band
        total[made] += shares.sum(dim=1, keepdim=True)
    low /= total.to(low)
    return resize_width(low, to[1])


def row_shares(made: slice, of: slice, scale: float) -> Tensor:
    """How much each of the rows ``of`` a picture counts in each row ``made`` when it is resized
    bilinearly, [len(made),len(of)]: not yet as shares of 1. A row made is ``scale`` rows high."""
    middles = _middles(made) * scale
    distance = np.abs(_middles(of) - middles[:, None])
    reach = max(1.0, scale)
    shares = np.maximum(1.0 - distance / reach, 0.0)
    return torch.from_numpy(shares.astype(np.float32))


def rows_needed(made: slice, scale: float, height: int) -> slice:
    """The rows of a picture of ``height`` that count in the rows ``made``."""
    reach = max(1.0, scale) - 0.5
    above = (made.start + 0.5) * scale
    below = (made.stop - 0.5) * scale
    first = math.floor(above - reach)
    stop = math.ceil(below + reach)
    return slice(max(0, first), min(height, stop))


def _rows_made_of(of: slice, scale: float, height: int) -> slice:
    """The rows of a picture resized to ``height`` in which the rows ``of`` count."""
    reach = max(1.0, scale) - 0.5
    above = (of.start - reach) / scale
    below = (of.stop + reach) / scale
    first = math.floor(above - 0.5)
    stop = math.ceil(below + 0.5)
    return slice(max(0, first), min(height, stop))


def _middles(rows: slice) -> NDArray[np.float64]:
    return np.arange(rows.start, rows.stop, rows.step) + 0.5


def resize_width(image: Tensor, width: int) -> Tensor:
    """[B,C,h,W] → [B,C,h,width]."""
    return resize(image, (image.shape[-2], width))


def enlarged(photos: Tensor, size: int, multiple: int) -> Tensor:
    """Photos [B,3,H,W] with a short side below ``size`` come nearer to it."""
    height, width = photos.shape[-2:]
    scale = min(_LARGER, size / min(height, width))
    if scale <= 1:
        return photos
    nearer = (round_to(height * scale, multiple), round_to(width * scale, multiple))
    return resize(photos, nearer)


def pad_to_multiple(image: Tensor, multiple: int) -> Tensor:
    """``[B,C,H,W]`` with its right and bottom border repeated until both sides are multiples of
    ``multiple``."""
    height, width = image.shape[-2:]
    right, bottom = -width % multiple, -height % multiple
    if not right and not bottom:
        return image
    return functional.pad(image, (0, right, 0, bottom), mode="replicate")


def bands(height: int, width: int, multiple: int = 1, pixels: int | None = None) -> Iterator[slice]:
    """Slices of rows that cover ``height``, each about so many ``pixels`` (None:
    :data:`BAND_PIXELS`), all but the last a multiple of so many rows."""
    wanted = BAND_PIXELS if pixels is None else pixels
    rows = wanted // max(1, width)
    whole = rows // multiple * multiple
    step = max(multiple, whole)
    for top in range(0, height, step):
        stop = min(top + step, height)
        yield slice(top, stop)
