"""Prints, drawn flat: where there is ink, and what it reflects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.kit.files.opencv import cv2

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from intrinsic_cli.api.outputs import Image

    #: How many inks there are, and which of them each pixel [SIDE,SIDE] has: 0 none, 1 the first.
    Flat = tuple[int, NDArray[np.uint8]]
    Draw = Callable[[np.random.Generator], Flat]

#: Pixels a side of a flat print.
SIDE = 256
_GRAY = 0.65  # of the prints have no colour
_DARKEST, _LIGHTEST = 0.03, 0.85  # what ink reflects
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789&?!"
_LETTER_SIZES = np.log([0.4, 4])  # the logarithms of OpenCV's scale of fonts
_FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX)


def draw_print(rng: np.random.Generator) -> Image:
    """[SIDE,SIDE,4]: the linear reflectance of the ink times the share of the ground it covers, and
    that share."""
    draw = DRAWN[rng.integers(len(DRAWN))]
    inks, which = draw(rng)
    ground = np.zeros((1, 4), np.float32)
    rows = np.concatenate([ground, _inks(inks, rng)])
    drawn: Image = rows[which]
    return drawn


def _inks(count: int, rng: np.random.Generator) -> Image:
    """[count,4]: what every ink reflects, and 1, as it covers all."""
    low = np.log(_DARKEST)
    high = np.log(_LIGHTEST)
    level = np.exp(rng.uniform(low, high, (count, 1)))
    colour = np.exp(rng.normal(0, 0.5, (count, 3)))
    if rng.random() < _GRAY:
        colour = np.ones((count, 3))
    reflected = level * colour
    inks = np.ones((count, 4), np.float32)
    inks[:, :3] = reflected.clip(_DARKEST, _LIGHTEST)
    return inks


def _checks(rng: np.random.Generator) -> Flat:
    """Squares or oblongs of two inks, or of one and the ground."""
    rows, columns = rng.integers(2, 13, 2)
    places = np.indices((rows, columns))
    cells = places.sum(0) % 2
    first = rng.integers(0, 2)
    return 2, _enlarged(cells + first)


def _steps(rng: np.random.Generator) -> Flat:
    """Patches of up to eight inks: colour charts, patchwork, tiles."""
    rows, columns = (int(number) for number in rng.integers(1, 7, 2))
    inks = int(rng.integers(2, 9))
    cells = rng.integers(0, inks + 1, (rows, columns))
    return inks, _enlarged(cells)


def _stripes(rng: np.random.Generator) -> Flat:
    """Bands of one or two inks, of unlike widths."""
    count = int(rng.integers(3, 24))
    ends = rng.uniform(0, SIDE, count)
    ends.sort()
    number = np.searchsorted(ends, np.arange(SIDE))
    kinds = rng.integers(2, 4)
    ink = (number % kinds).astype(np.uint8)
    return 2, ink[:, None].repeat(SIDE, 1)


def _letters(rng: np.random.Generator) -> Flat:
    """Lines of letters, large or small, on the ground or on a label of another ink."""
    ground = rng.integers(0, 2)
    flat = np.full((SIDE, SIDE), ground, np.uint8)
    scale = float(np.exp(rng.uniform(*_LETTER_SIZES)))
    font = _FONTS[rng.integers(len(_FONTS))]
    heavy = scale * rng.uniform(0.8, 3)
    stroke = max(1, round(heavy))
    for bottom in np.arange(30 * scale, SIDE, 36 * scale):
        line = _line(rng)
        left = int(rng.integers(0, SIDE // 4))
        start = left, round(bottom)
        cv2.putText(flat, line, start, font, scale, 2, stroke)
    return 2, flat


def _line(rng: np.random.Generator) -> str:
    """Up to fifteen letters."""
    chosen = rng.integers(0, len(_LETTERS), rng.integers(1, 16))
    return "".join(_LETTERS[place] for place in chosen)


def _spots(rng: np.random.Generator) -> Flat:
    """Dots and blots of up to three inks."""
    flat = np.zeros((SIDE, SIDE), np.uint8)
    largest = rng.uniform(0.03, 0.2) * SIDE
    for _ in range(rng.integers(3, 60)):
        middle = rng.integers(0, SIDE, 2)
        axes = rng.uniform(0.3, 1, 2) * largest
        turn = float(rng.uniform(0, 180))
        ink = int(rng.integers(1, 4))
        where = int(middle[0]), int(middle[1])
        size = int(axes[0]), int(axes[1])
        cv2.ellipse(flat, where, size, turn, 0, 360, ink, -1)
    return 3, flat


def _polygons(rng: np.random.Generator) -> Flat:
    """A few shapes with straight edges: signs, stars, arrows, frames."""
    flat = np.zeros((SIDE, SIDE), np.uint8)
    for ink in range(1, int(rng.integers(2, 7))):
        corners = _corners(rng)
        cv2.fillPoly(flat, [corners], ink)
    return 6, flat


def _corners(rng: np.random.Generator) -> NDArray[np.int32]:
    """[3 to 8,2]: pixels around a middle, one after the other, at unlike distances."""
    middle = rng.uniform(0.2, 0.8, 2)
    count = int(rng.integers(3, 9))
    angles = np.sort(rng.uniform(0, 2 * np.pi, count))
    reach = rng.uniform(0.05, 0.45, (count, 1))
    directions = np.stack([np.cos(angles), np.sin(angles)], 1)
    places = middle + reach * directions
    pixels = places * SIDE
    return np.asarray(pixels.round(), np.int32)


def _enlarged(cells: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Cells of inks → [SIDE,SIDE]."""
    small = cells.astype(np.uint8)
    large = cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)
    return np.asarray(large, np.uint8)


#: All that can be drawn.
DRAWN: tuple[Draw, ...] = (
    _checks,
    _steps,
    _stripes,
    _letters,
    _spots,
    _polygons,
)
