"""Photos of a made-up object, whose sides can be told by their colours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from intrinsic_cli.kit.files.opencv import cv2

Floats = NDArray[np.float32]

#: Where each colour is on the object: (right, up).
COLOURS = {
    (-1, 1): (200, 30, 30),
    (1, 1): (30, 160, 30),
    (-1, -1): (30, 30, 180),
    (1, -1): (220, 220, 220),
}


def body(side: int, middle: tuple[float, float] = (0.0, 0.0), size: float = 0.75) -> Any:
    """A silhouette [side,side] bool: an ellipse with a head on its right."""
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    x, y = (x - middle[0]) / size, (y - middle[1]) / size
    trunk = (x / 0.9) ** 2 + (y / 0.5) ** 2 < 1
    head = ((x - 0.6) / 0.4) ** 2 + ((y + 0.45) / 0.4) ** 2 < 1
    return trunk | head


def quarters(side: int) -> NDArray[np.uint8]:
    """Codes [side,side,3]: red above on the left, green above on the right, blue below on the left,
    white below on the right."""
    half = side // 2
    codes = np.zeros((side, side, 3), np.uint8)
    for (right, up), colour in COLOURS.items():
        rows = slice(0, half) if up > 0 else slice(half, side)
        columns = slice(half, side) if right > 0 else slice(0, half)
        codes[rows, columns] = colour
    return codes


def photo(side: int, background: bool = False) -> Floats:
    """[side,side,4] linear with alpha, or all opaque before a background."""
    inside = body(side)
    codes = quarters(side)
    codes[~inside] = 90 if background else 0
    linear = (codes / 255) ** 2.2
    alpha = np.ones_like(inside) if background else inside
    return np.dstack([linear, alpha]).astype(np.float32)


def save(path: Path, side: int) -> Path:
    """The object cut out, as a PNG with alpha."""
    alpha = body(side)[..., None].astype(np.uint8) * 255
    Image.fromarray(np.dstack([quarters(side), alpha])).save(path)
    return path


def name_of(colour: Any) -> tuple[int, int]:
    """Which of the four colours [3], sRGB codes or not, it is nearest to in hue."""
    tone = np.asarray(colour, float)[:3]
    tone = tone / (np.linalg.norm(tone) + 1e-9)
    likeness = {}
    for place, codes in COLOURS.items():
        known = np.array(codes) / np.linalg.norm(codes)
        likeness[place] = float(known @ tone)
    return max(likeness, key=likeness.__getitem__)


def drop(shift: int) -> tuple[np.ndarray, np.ndarray]:
    """A drop that is red at its thick end and blue at its thin one, and its mask."""
    mask = np.zeros((60, 80), np.uint8)
    cv2.circle(mask, (30 + shift, 30), 14, 255, -1)
    cv2.fillConvexPoly(mask, np.array([[30 + shift, 18], [30 + shift, 42], [70 + shift, 30]]), 255)
    photo = np.full((60, 80, 3), 40, np.uint8)
    photo[mask > 0] = (0, 0, 220)
    photo[(mask > 0) & (np.arange(80) > 45 + shift)] = (220, 0, 0)
    return photo, mask
