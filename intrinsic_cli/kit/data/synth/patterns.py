"""Shadows thrown by what stands outside the picture: window bars, blinds, leaves, walls, poles.

Rendered rooms know few of them, photos are full of them. A pattern is drawn flat, laid over the
picture in perspective, and breaks where one object ends and another begins, as a shadow does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.kit.files.opencv import cv2

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from intrinsic_cli.api.outputs import Image

_SIDE = 256  # pixels of a flat pattern
_MARGIN = 0.5  # of the picture's side, that a flat pattern reaches beyond it
_BROKEN = 0.6  # of the patterns jump from object to object
_SOFTEST = 0.03  # of the picture's side: the widest edge's spread
_SHARPEST = 0.001
_OBJECTS = 256


def random_pattern(ids: NDArray[np.uint8], rng: np.random.Generator) -> Image:
    """[H,W] object numbers → [H,W] in 0..1: the share of a light that arrives."""
    draw = _DRAWN[rng.choice(len(_DRAWN), p=_CHANCE)]
    flat = draw(rng)
    if rng.random() < 0.5:
        flat = 1 - flat
    laid = _laid_over(flat, ids, rng)
    return _softened(laid, rng)


def _window(rng: np.random.Generator) -> Image:
    """Panes of glass between bars, alone on a dark wall or filling it."""
    flat = np.zeros((_SIDE, _SIDE), np.float32)
    rows, columns = rng.integers(1, 5, 2)
    bar = rng.uniform(0.03, 0.2)
    low, high = np.sort(rng.uniform(0, 1, (2, 2)), 0)
    high = np.maximum(high, low + 0.3)
    heights = (high[0] - low[0]) / rows
    widths = (high[1] - low[1]) / columns
    for row in range(rows):
        for column in range(columns):
            top = low[0] + (row + bar) * heights
            left = low[1] + (column + bar) * widths
            bottom = low[0] + (row + 1 - bar) * heights
            right = low[1] + (column + 1 - bar) * widths
            _fill(flat, (top, bottom), (left, right))
    return flat


def _fill(flat: Image, rows: tuple[float, float], columns: tuple[float, float]) -> None:
    top, bottom = (round(share * _SIDE) for share in rows)
    left, right = (round(share * _SIDE) for share in columns)
    flat[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = 1


def _blinds(rng: np.random.Generator) -> Image:
    """Slats or the bars of a fence."""
    count = rng.uniform(3, 20)
    phase = rng.uniform()
    along = np.arange(_SIDE) / _SIDE * count + phase
    open_share = rng.uniform(0.25, 0.75)
    stripe = (along % 1 < open_share).astype(np.float32)
    return np.repeat(stripe[:, None], _SIDE, 1)


def _leaves(rng: np.random.Generator) -> Image:
    """Dapples: noise of two sizes, cut at a level."""
    coarse = _noise(rng, int(rng.integers(3, 12)))
    fine = _noise(rng, int(rng.integers(16, 64)))
    mixed = coarse + rng.uniform(0.2, 1) * fine
    level = np.quantile(mixed, rng.uniform(0.25, 0.75))
    return np.asarray(mixed > level, np.float32)


def _noise(rng: np.random.Generator, cells: int) -> Image:
    """Smooth noise, ``cells`` of it a side."""
    coarse = rng.standard_normal((cells, cells), dtype=np.float32)
    return np.asarray(cv2.resize(coarse, (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC))


def _bodies(rng: np.random.Generator) -> Image:
    """One to four rounded bodies with stems: people, trees, lamps."""
    flat = np.ones((_SIDE, _SIDE), np.float32)
    for _ in range(rng.integers(1, 5)):
        centre = rng.uniform(0, _SIDE, 2)
        axes = rng.uniform(0.04, 0.35, 2) * _SIDE
        turn = float(rng.uniform(0, 180))
        where, sizes = centre.round().astype(int), axes.round().astype(int)
        cv2.ellipse(flat, where.tolist(), sizes.tolist(), turn, 0, 360, 0, -1)
        foot = where + rng.integers(-_SIDE // 2, _SIDE // 2, 2)
        cv2.line(flat, where.tolist(), foot.tolist(), 0, int(rng.integers(2, 24)))
    return flat


def _wall(rng: np.random.Generator) -> Image:
    """The straight edges of one or two buildings."""
    rows, columns = np.mgrid[0:_SIDE, 0:_SIDE].astype(np.float32) / _SIDE - 0.5
    flat = np.ones((_SIDE, _SIDE), np.float32)
    for _ in range(rng.integers(1, 3)):
        angle = rng.uniform(0, 2 * np.pi)
        across = rows * np.sin(angle) + columns * np.cos(angle)
        flat[across > rng.uniform(-0.2, 0.3)] = 0
    return flat


_DRAWN: tuple[Callable[[np.random.Generator], Image], ...] = (
    _window,
    _blinds,
    _leaves,
    _bodies,
    _wall,
)
_CHANCE = (0.25, 0.1, 0.25, 0.2, 0.2)


def _laid_over(flat: Image, ids: NDArray[np.uint8], rng: np.random.Generator) -> Image:
    """The flat pattern in perspective, shifted for every object where it breaks."""
    height, width = ids.shape
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    places = np.stack([columns / width, rows / height], -1)
    seen = cv2.perspectiveTransform(places, _perspective(rng))
    if rng.random() < _BROKEN:
        jumps = rng.normal(0, 0.25, (_OBJECTS, 2)).astype(np.float32)
        seen = seen + jumps[ids]
    seen = np.asarray((seen + _MARGIN) / (1 + 2 * _MARGIN) * _SIDE, np.float32)
    laid = cv2.remap(
        flat, seen[..., 0], seen[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    return np.asarray(laid, np.float32)


def _perspective(rng: np.random.Generator) -> NDArray[np.float64]:
    """A random view of the unit square: turned, stretched, its corners moved."""
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float64)
    angle = rng.uniform(0, 2 * np.pi)
    cosine, sine = np.cos(angle), np.sin(angle)
    turn = np.array([[cosine, -sine], [sine, cosine]])
    stretch = np.exp(rng.normal(0, 0.3, 2))
    moved = (corners - 0.5) * stretch @ turn.T + 0.5
    moved = moved + rng.uniform(-0.2, 0.2, (4, 2))
    square = corners.astype(np.float32)
    return np.asarray(cv2.getPerspectiveTransform(square, moved.astype(np.float32)))


def _softened(pattern: Image, rng: np.random.Generator) -> Image:
    """Edges of one width, or sharp at one side of the picture and soft at the other."""
    side = pattern.shape[0]
    low, high = np.log(_SHARPEST), np.log(_SOFTEST)
    sharp, soft = np.sort(np.exp(rng.uniform(low, high, 2))) * side
    crisp = _blurred(pattern, sharp)
    if rng.random() < 0.5:
        return crisp
    smooth = _blurred(pattern, soft)
    ramp = np.linspace(0, 1, side, dtype=np.float32)
    share = np.broadcast_to(ramp, pattern.shape)
    if rng.random() < 0.5:
        share = share.T
    return np.asarray(crisp + share * (smooth - crisp), np.float32)


def _blurred(pattern: Image, spread: float) -> Image:
    blurred = cv2.GaussianBlur(pattern, (0, 0), max(spread, 0.3))
    return np.asarray(blurred, np.float32)
