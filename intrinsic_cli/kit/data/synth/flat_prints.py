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
    low, high = np.log(_DARKEST), np.log(_LIGHTEST)
    level = np.exp(rng.uniform(low, high, (count, 1)))
    colour = np.exp(rng.normal(0, 0.5, (count, 3)))
    if rng.random() < _GRAY:
        colour = np.ones((count, 3))
    inks = np.ones((count, 4), np.float32)
    inks[:, :3] = np.clip(level * colour, _DARKEST, _LIGHTEST)
    return inks


def _checks(rng: np.random.Generator) -> Flat:
    """Squares or oblongs of two inks, or of one and the ground."""
    rows, columns = (int(number) for number in rng.integers(2, 13, 2))
    cells = np.indices((rows, columns)).sum(0) % 2
    first = int(rng.integers(0, 2))
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
    ends = np.sort(rng.uniform(0, SIDE, count))
    along = np.searchsorted(ends, np.arange(SIDE))
    bands = along % int(rng.integers(2, 4))
    return 2, np.repeat(bands[:, None], SIDE, 1).astype(np.uint8)


def _letters(rng: np.random.Generator) -> Flat:
    """Lines of letters, large or small, on the ground or on a label of another ink."""
    flat = np.full((SIDE, SIDE), rng.integers(0, 2), np.uint8)
    scale = float(np.exp(rng.uniform(np.log(0.4), np.log(4))))
    font = int(_FONTS[rng.integers(len(_FONTS))])
    stroke = max(1, round(scale * rng.uniform(0.8, 3)))
    for bottom in np.arange(30 * scale, SIDE, 36 * scale):
        chosen = rng.integers(0, len(_LETTERS), rng.integers(1, 16))
        line = "".join(_LETTERS[place] for place in chosen)
        left = int(rng.integers(0, SIDE // 4))
        start = left, round(bottom)
        cv2.putText(flat, line, start, font, scale, 2, stroke)
    return 2, flat


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
        middle = rng.uniform(0.2, 0.8, 2)
        angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 9))))
        reach = rng.uniform(0.05, 0.45, angles.size)
        across = middle[0] + reach * np.cos(angles)
        down = middle[1] + reach * np.sin(angles)
        corners = np.stack([across, down], 1) * SIDE
        cv2.fillPoly(flat, [corners.round().astype(np.int32)], ink)
    return 6, flat


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
