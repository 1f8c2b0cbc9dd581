"""Contact sheets: many linear images side by side in one picture to look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.light.colour import encode_codes

Sheet = NDArray[np.uint8]

_GAP = 4  # pixels between cells
_LINE = 16  # pixels that one line of text takes
_PAPER, _INK = 24, (235, 235, 235)


def contact_sheet(
    rows: Sequence[Sequence[NDArray[Any]]],
    labels: Sequence[str] = (),
    cell: int = 256,
    titles: Sequence[str] = (),
) -> Sheet:
    """``rows`` of linear images ([H,W], [H,W,1] or [H,W,3], 1 = white) → one sRGB picture, uint8
    [H,W,3].

    Every image is scaled, keeping its shape, to fit ``cell``×``cell`` pixels; a row is as high as
    its highest image. ``labels`` head the columns, ``titles`` stand above the rows. Rows may have
    different lengths."""
    cells = [[_fit(image, cell) for image in row] for row in rows]
    columns = max([1, *map(len, cells)])
    width = columns * (cell + _GAP) + _GAP
    bands = [_paper(_GAP, width)]
    if labels:
        bands.append(_text_band(labels, cell, width))
    for number, row in enumerate(cells):
        if number < len(titles):
            bands.append(_text_band([titles[number]], width, width))
        bands.append(_band(row, cell, width))
    return np.concatenate(bands)


def fitting_size(size: tuple[int, int], cell: int) -> tuple[int, int]:
    """The size (h, w) at which a picture of ``size`` just fits into a cell."""
    scale = cell / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _fit(image: NDArray[Any], cell: int) -> Sheet:
    """Scale in linear light (so that no detail darkens), then encode for display."""
    planes = np.asarray(image, np.float32)
    planes = np.nan_to_num(planes, nan=0.0, posinf=1.0, neginf=0.0)
    if planes.ndim == 2:
        planes = planes[..., None]
    height, width = fitting_size(planes.shape[:2], cell)
    filter = cv2.INTER_AREA if max(planes.shape[:2]) > cell else cv2.INTER_LINEAR
    small = cv2.resize(planes, (width, height), interpolation=filter)
    small = small.reshape(height, width, -1)  # OpenCV drops a single channel
    codes = encode_codes(small, 8)
    return np.broadcast_to(codes, (height, width, 3))


def _band(row: Sequence[Sheet], cell: int, width: int) -> Sheet:
    """A row of cells, each in the middle of its place."""
    heights = [image.shape[0] for image in row]
    highest = max([1, *heights])
    band = _paper(highest + _GAP, width)
    for column, image in enumerate(row):
        image_height, image_width = image.shape[:2]
        top = (highest - image_height) // 2
        left = _cell_left(column, cell) + (cell - image_width) // 2
        band[top : top + image_height, left : left + image_width] = image
    return band


def _text_band(texts: Sequence[str], cell: int, width: int) -> Sheet:
    image = Image.fromarray(_paper(_LINE, width))
    draw = ImageDraw.Draw(image)
    # Pillow's small built-in font is all a machine is sure to have, and it knows no more than ASCII
    # everywhere.
    font = ImageFont.load_default()
    for column, text in enumerate(texts):
        plain = text.encode("ascii", "replace").decode()
        draw.text((_cell_left(column, cell), 1), plain, fill=_INK, font=font)
    return np.array(image)


def _cell_left(column: int, cell: int) -> int:
    return _GAP + column * (cell + _GAP)


def _paper(height: int, width: int) -> Sheet:
    return np.full((height, width, 3), _PAPER, np.uint8)
