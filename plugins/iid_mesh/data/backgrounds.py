"""What stands behind made-up objects: noise, gradients, and what looks like leaves and branches out
of focus."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.kit.files.opencv import cv2

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

_BLOBS = 24  # leaves and branches at most


def random_background(side: int, rng: np.random.Generator) -> Image:
    """[side,side,3] linear reflectance of one of the three kinds, with a little noise on all."""
    kinds = (_noise, _gradient, _leaves)
    kind = kinds[rng.choice(3, p=(0.3, 0.25, 0.45))]
    made = kind(side, rng)
    cells = max(4, side // 3)
    grain = _octave(side, cells, rng)
    grain *= np.float32(rng.uniform(0, 0.25))
    made = made * (1 + grain)
    return np.clip(made, 0.01, 0.95).astype(np.float32)


def _noise(side: int, rng: np.random.Generator) -> Image:
    """Clouds: noise of several sizes, between two colours."""
    plane = np.zeros((side, side, 1), np.float32)
    strength = 1.0
    for cells in (2, 4, 8, 16):
        octave = _octave(side, cells, rng)
        plane += strength * octave[..., :1]
        strength *= rng.uniform(0.4, 0.9)
    return _between(1.5 * plane, rng)


def _gradient(side: int, rng: np.random.Generator) -> Image:
    """From one colour to another across the picture: sky, water, sand."""
    steps = np.linspace(-1, 1, side, dtype=np.float32)
    angle = rng.normal(np.pi / 2, 0.6)
    across = np.cos(angle) * steps
    down = np.sin(angle) * steps[:, None]
    along = across + down
    along += rng.uniform(-0.5, 0.5)
    along *= np.exp(rng.uniform(0, 3))
    return _between(along[..., None], rng)


def _between(plane: Image, rng: np.random.Generator) -> Image:
    """One colour where the plane [side,side,1] is far below 0, another where it is far above."""
    share = 1 / (1 + np.exp(-plane))
    first = _colour(rng)
    second = _colour(rng)
    return np.asarray(first + share * (second - first), np.float32)


def _leaves(side: int, rng: np.random.Generator) -> Image:
    """Ellipses and lines of related colours, blurred."""
    ground = _colour(rng)
    leaf = _colour(rng)
    picture = np.full((side, side, 3), ground, np.float32)
    for _ in range(rng.integers(4, _BLOBS)):
        shade = leaf * np.exp(rng.normal(0, 0.5))
        _add_blob(picture, shade.tolist(), rng)
    blur = side * rng.uniform(0.004, 0.04)
    blurred = cv2.GaussianBlur(picture, (0, 0), max(0.3, blur))
    return np.asarray(blurred, np.float32)


def _add_blob(picture: Image, shade: list[float], rng: np.random.Generator) -> None:
    """A leaf or a branch anywhere."""
    side = len(picture)
    centre = rng.integers(0, side, 2).tolist()
    if rng.random() < 0.7:
        radii = rng.uniform(0.02, 0.3, 2) * side + 1
        axes = radii.astype(int).tolist()
        cv2.ellipse(picture, centre, axes, rng.uniform(0, 360), 0, 360, shade, -1)
    else:
        end = rng.integers(0, side, 2).tolist()
        thickness = 1 + side * rng.uniform(0.01, 0.06)
        cv2.line(picture, centre, end, shade, int(thickness))


def _octave(side: int, cells: int, rng: np.random.Generator) -> Image:
    """Smooth noise [side,side,3] of about ``cells`` bumps a side."""
    shape = (cells + 1, cells + 1, 3)
    grid = rng.standard_normal(shape, dtype=np.float32)
    size = (side, side)
    smooth = cv2.resize(grid, size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(smooth, np.float32)


def _colour(rng: np.random.Generator) -> Image:
    """Greens, browns, blues and grays."""
    low, high = np.log(0.04), np.log(0.8)
    level = np.exp(rng.uniform(low, high))
    shares = rng.dirichlet((1.2, 1.5, 1.2))
    tint = 0.35 + 2 * shares
    colour = np.clip(level * tint, 0.02, 0.9)
    return np.asarray(colour, np.float32)
