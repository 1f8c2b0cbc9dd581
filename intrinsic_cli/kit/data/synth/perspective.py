"""Flat patterns in perspective: where the pixels of a picture lie, and random views of a square."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.kit.files.opencv import cv2

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CORNERS = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)


def pixel_places(height: int, width: int) -> NDArray[np.float32]:
    """[H,W,2]: where each pixel is in the unit square, x and y."""
    pixels = np.indices((height, width), np.float32)
    down, across = pixels
    places = np.empty((height, width, 2), np.float32)
    places[..., 0] = across / width
    places[..., 1] = down / height
    return places


def random_perspective(rng: np.random.Generator) -> NDArray[np.float64]:
    """A random view of the unit square, 3 × 3: turned, stretched, its corners moved."""
    angle = rng.uniform(0, 2 * np.pi)
    cosine = np.cos(angle)
    sine = np.sin(angle)
    turn = np.array([[cosine, sine], [-sine, cosine]])
    stretch = np.exp(rng.normal(0, 0.3, 2))
    centred = _CORNERS - 0.5
    turned = (centred * stretch) @ turn
    bent = rng.uniform(-0.2, 0.2, (4, 2))
    moved = turned + 0.5 + bent
    corners = moved.astype(np.float32)
    return np.asarray(cv2.getPerspectiveTransform(_CORNERS, corners))
