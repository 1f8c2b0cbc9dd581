"""Contact sheets: many linear images side by side in one picture to look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.light.colour import encode_codes

Picture = NDArray[np.uint8]

_GAP = 4  # pixels between cells
_LINE = 16  # pixels that one line of text takes
_PAPER, _INK = 24, (235, 235, 235)


def contact_sheet(
    rows: Sequence[Sequence[NDArray[Any]]],
    labels: Sequence[str] = (),
    cell: int = 256,
    titles: Sequence[str] = (),
) -> Picture:
    """``rows`` of linear images ([H,W], [H,W,1] or [H,W,3], 1 = white) → one sRGB picture, uint8
    [H,W,3].

    Every image is scaled, keeping its shape, to fit ``cell``×``cell`` pixels; a row is as high as
    its highest image. ``labels`` head the columns, ``titles`` stand above the rows. Rows may have
    different lengths."""
    pictures = [[_fit(image, cell) for image in row] for row in rows]
    columns = max([len(row) for row in pictures] + [1])
    width = columns * (cell + _GAP) + _GAP
    bands = [_text_band(labels, cell, width)] if labels else []
    for number, row in enumerate(pictures):
        if number < len(titles):
            bands.append(_text_band(titles[number : number + 1], width, width))
        bands.append(_band(row, cell, width))
    return np.concatenate([_paper(_GAP, width), *bands])


def _fit(image: NDArray[Any], cell: int) -> Picture:
    """Scale in linear light (so that no detail darkens), then encode for display."""
    planes = np.nan_to_num(np.asarray(image, np.float32), nan=0.0, posinf=1.0, neginf=0.0)
    planes = planes[..., None] if planes.ndim == 2 else planes
    height, width = planes.shape[:2]
    scale = cell / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(
        planes, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    )
    codes = encode_codes(small.reshape(size[1], size[0], -1), 8)
    return np.broadcast_to(codes, (*codes.shape[:2], 3))


def _band(row: Sequence[Picture], cell: int, width: int) -> Picture:
    height = max([picture.shape[0] for picture in row] + [1])
    band = _paper(height + _GAP, width)
    for column, picture in enumerate(row):
        top = (height - picture.shape[0]) // 2
        left = _GAP + column * (cell + _GAP) + (cell - picture.shape[1]) // 2
        band[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return band


def _text_band(texts: Sequence[str], cell: int, width: int) -> Picture:
    image = Image.fromarray(_paper(_LINE, width))
    draw = ImageDraw.Draw(image)
    for column, text in enumerate(texts):
        # Pillow's small built-in font is all a machine is sure to have, and it knows no more than
        # ASCII everywhere.
        plain = text.encode("ascii", "replace").decode()
        draw.text(
            (_GAP + column * (cell + _GAP), 1), plain, fill=_INK, font=ImageFont.load_default()
        )
    return np.array(image)


def _paper(height: int, width: int) -> Picture:
    return np.full((height, width, 3), _PAPER, np.uint8)
