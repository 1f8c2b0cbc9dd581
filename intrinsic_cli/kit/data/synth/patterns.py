"""What stands between a light and a picture, drawn flat: window bars, blinds, leaves, people,
poles, walls. White lets light through."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.kit.files.opencv import cv2

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from intrinsic_cli.api.outputs import Image

#: Pixels a side of a flat pattern.
SIDE = 256
_SMALLEST = 0.3  # of the side: a window


def draw_flat(rng: np.random.Generator) -> Image:
    """[SIDE,SIDE], 1 where light comes through; half of the time the other way round."""
    draw = DRAWN[rng.choice(len(DRAWN), p=_CHANCE)]
    flat = draw(rng)
    if rng.random() < 0.5:
        return 1 - flat
    return flat


def _window(rng: np.random.Generator) -> Image:
    """Panes of glass between bars, alone on a dark wall or filling it."""
    flat = np.zeros((SIDE, SIDE), np.float32)
    rows, columns = rng.integers(1, 5, 2)
    bar = rng.uniform(0.03, 0.2)
    low, high = np.sort(rng.uniform(0, 1, (2, 2)), 0)
    high = np.maximum(high, low + _SMALLEST)
    for vertical in _panes(low[0], high[0], int(rows), bar):
        for horizontal in _panes(low[1], high[1], int(columns), bar):
            flat[vertical, horizontal] = 1
    return flat


def _panes(low: float, high: float, count: int, bar: float) -> list[slice]:
    """The pixels of ``count`` panes between two ends, less the share ``bar`` on either side."""
    size = (high - low) / count
    starts = low + (np.arange(count) + bar) * size
    ends = starts + (1 - 2 * bar) * size
    panes = []
    for start, end in zip(starts, ends, strict=True):
        panes.append(slice(round(start * SIDE), round(end * SIDE)))
    return panes


def _blinds(rng: np.random.Generator) -> Image:
    """Slats or the bars of a fence."""
    count = rng.uniform(3, 20)
    phase = rng.uniform()
    along = np.arange(SIDE) / SIDE * count + phase
    open_share = rng.uniform(0.25, 0.75)
    stripe = (along % 1 < open_share).astype(np.float32)
    return np.repeat(stripe[:, None], SIDE, 1)


def _leaves(rng: np.random.Generator) -> Image:
    """Dapples: noise of two sizes, cut at a level."""
    cells = int(rng.integers(3, 12))
    coarse = _noise(rng, cells)
    cells = int(rng.integers(16, 64))
    fine = _noise(rng, cells)
    share = rng.uniform(0.2, 1)
    mixed = coarse + share * fine
    closed = rng.uniform(0.25, 0.75)
    level = np.quantile(mixed, closed)
    return np.asarray(mixed > level, np.float32)


def _noise(rng: np.random.Generator, cells: int) -> Image:
    """Smooth noise, ``cells`` of it a side."""
    coarse = rng.standard_normal((cells, cells), dtype=np.float32)
    return np.asarray(cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC))


def _bodies(rng: np.random.Generator) -> Image:
    """One to four rounded bodies with stems: people, trees, lamps."""
    flat = np.ones((SIDE, SIDE), np.float32)
    for _ in range(rng.integers(1, 5)):
        _draw_body(flat, rng)
    return flat


def _draw_body(flat: Image, rng: np.random.Generator) -> None:
    centre = rng.uniform(0, SIDE, 2)
    axes = rng.uniform(0.04, 0.35, 2) * SIDE
    turn = float(rng.uniform(0, 180))
    where = _pixels(centre)
    cv2.ellipse(flat, where, _pixels(axes), turn, 0, 360, 0, -1)
    stem = rng.integers(-SIDE // 2, SIDE // 2, 2)
    foot = _pixels(centre + stem)
    width = int(rng.integers(2, 24))
    cv2.line(flat, where, foot, 0, width)


def _pixels(numbers: NDArray[np.float64]) -> tuple[int, int]:
    first, second = numbers.round().astype(int)
    return int(first), int(second)


def _wall(rng: np.random.Generator) -> Image:
    """The straight edges of one or two buildings."""
    along = np.arange(SIDE, dtype=np.float32) / SIDE - 0.5
    flat = np.ones((SIDE, SIDE), np.float32)
    for _ in range(rng.integers(1, 3)):
        angle = rng.uniform(0, 2 * np.pi)
        down = along[:, None] * np.sin(angle)
        right = along[None] * np.cos(angle)
        edge = rng.uniform(-0.2, 0.3)
        flat[down + right > edge] = 0
    return flat


#: All that can be drawn; how often each is.
DRAWN: tuple[Callable[[np.random.Generator], Image], ...] = (
    _window,
    _blinds,
    _leaves,
    _bodies,
    _wall,
)
_CHANCE = (0.25, 0.1, 0.25, 0.2, 0.2)
