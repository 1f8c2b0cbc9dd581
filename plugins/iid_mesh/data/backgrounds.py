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
    kind = rng.choice(3, p=(0.3, 0.25, 0.45))
    made = (_noise, _gradient, _leaves)[kind](side, rng)
    grain = _octave(side, max(4, side // 3), rng) * rng.uniform(0, 0.25)
    return np.clip(made * (1 + grain), 0.01, 0.95).astype(np.float32)


def _noise(side: int, rng: np.random.Generator) -> Image:
    """Clouds: noise of several sizes, between two colours."""
    plane = np.zeros((side, side, 1), np.float32)
    strength = 1.0
    for cells in (2, 4, 8, 16):
        plane += strength * _octave(side, cells, rng)[..., :1]
        strength *= rng.uniform(0.4, 0.9)
    share = 1 / (1 + np.exp(-1.5 * plane))
    first, second = _colour(rng), _colour(rng)
    return first + share * (second - first)


def _gradient(side: int, rng: np.random.Generator) -> Image:
    """From one colour to another across the picture: sky, water, sand."""
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j].astype(np.float32)
    angle = rng.normal(np.pi / 2, 0.6)
    along = np.cos(angle) * x + np.sin(angle) * y + rng.uniform(-0.5, 0.5)
    share = 1 / (1 + np.exp(-along * np.exp(rng.uniform(0, 3))))
    first, second = _colour(rng), _colour(rng)
    return first + share[..., None].astype(np.float32) * (second - first)


def _leaves(side: int, rng: np.random.Generator) -> Image:
    """Ellipses and lines of related colours, blurred."""
    ground, leaf = _colour(rng), _colour(rng)
    picture = np.full((side, side, 3), ground, np.float32)
    for _ in range(rng.integers(4, _BLOBS)):
        shade = (leaf * np.exp(rng.normal(0, 0.5))).tolist()
        centre = rng.integers(0, side, 2).tolist()
        if rng.random() < 0.7:
            axes = (rng.uniform(0.02, 0.3, 2) * side + 1).astype(int).tolist()
            cv2.ellipse(picture, centre, axes, rng.uniform(0, 360), 0, 360, shade, -1)
        else:
            end = rng.integers(0, side, 2).tolist()
            cv2.line(picture, centre, end, shade, int(1 + side * rng.uniform(0.01, 0.06)))
    blur = side * rng.uniform(0.004, 0.04)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), max(0.3, blur)), np.float32)


def _octave(side: int, cells: int, rng: np.random.Generator) -> Image:
    """Smooth noise [side,side,3] of about ``cells`` bumps a side."""
    grid = rng.standard_normal((cells + 1, cells + 1, 3), dtype=np.float32)
    return np.asarray(cv2.resize(grid, (side, side), interpolation=cv2.INTER_LINEAR), np.float32)


def _colour(rng: np.random.Generator) -> Image:
    """Greens, browns, blues and grays."""
    level = np.exp(rng.uniform(np.log(0.04), np.log(0.8)))
    tint = 0.35 + rng.dirichlet((1.2, 1.5, 1.2)) * 2
    return np.clip(level * tint, 0.02, 0.9).astype(np.float32)
