"""Sizes a network likes, and photos brought to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
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


def shrunk(read: Callable[[slice], Tensor], size: tuple[int, int], to: tuple[int, int]) -> Tensor:
    """As :func:`resize`, of a picture of ``size`` that is never whole in memory: ``read(rows)``
    gives some of its rows, [1,C,len(rows),W]. Each band is narrowed, then all are made lower."""
    narrow = [resize_width(read(rows), to[1]) for rows in bands(*size)]
    return resize(torch.cat(narrow, dim=2), to)


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


def bands(height: int, width: int, multiple: int = 1) -> Iterator[slice]:
    """Slices of rows that cover ``height``, each about :data:`BAND_PIXELS` pixels, all but the last
    a multiple of so many rows."""
    step = max(multiple, BAND_PIXELS // max(1, width) // multiple * multiple)
    for top in range(0, height, step):
        yield slice(top, min(top + step, height))
