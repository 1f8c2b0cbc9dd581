"""What a pane of glass and a lens do to a mirrored scene, all [H,W,3] linear light, drawn at
random."""

from __future__ import annotations

import numpy as np

from intrinsic_cli.kit.data.crops import Image
from intrinsic_cli.kit.files.opencv import cv2

_COARSE = 3.0  # pixels of blur from which on a smaller picture is blurred instead: what is lost cannot be seen
_BRIGHTEST = 0.25  # flare


def defocus(scene: Image, sigma: float) -> Image:
    """Gaussian blur by ``sigma`` pixels, at a cost that does not grow with it."""
    if sigma < 0.3:
        return scene
    height, width = scene.shape[:2]
    shrink = min(max(1, int(sigma / _COARSE)), height, width)
    if shrink == 1:
        return np.asarray(cv2.GaussianBlur(scene, (0, 0), sigma), np.float32)
    small = cv2.resize(
        scene, (max(1, width // shrink), max(1, height // shrink)), interpolation=cv2.INTER_AREA
    )
    small = cv2.GaussianBlur(small, (0, 0), sigma / shrink)
    return np.asarray(
        cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.float32
    )


def double(scene: Image, rng: np.random.Generator) -> Image:
    """The scene and a weaker copy of it, shifted by up to 4 % of the side: the pane has two faces.
    As bright as it was."""
    reach = 0.04 * min(scene.shape[:2])
    across, down = (float(x) for x in rng.uniform(-reach, reach, 2))
    weight = float(rng.uniform(0.3, 0.8))
    shift = np.array([[1, 0, across], [0, 1, down]])
    copy = cv2.warpAffine(
        scene, shift, scene.shape[1::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(
        cv2.addWeighted(scene, 1 / (1 + weight), copy, weight / (1 + weight), 0), np.float32
    )


def vignette(height: int, width: int, rng: np.random.Generator) -> Image:
    """How much is mirrored where, [H,W,1] in 0..1: smooth blots that cover part of the picture."""
    coarse = rng.random((4, 4), dtype=np.float32) + np.float32(rng.uniform(-0.25, 0.25))
    blots = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    steep = np.clip(blots * 2 - np.float32(0.5), 0, 1)
    return np.asarray((steep * steep * (3 - 2 * steep))[..., None], np.float32)


def flare(height: int, width: int, rng: np.random.Generator) -> Image:
    """Stray light: nothing half of the time, else a coloured veil of one to three wide Gaussians on
    an even ground."""
    veil = np.zeros((height, width, 3), np.float32)
    if rng.random() < 0.5:
        return veil
    y, x = (np.linspace(0, 1, side, dtype=np.float32) for side in (height, width))
    veil += _colour(rng) * np.float32(rng.uniform(0, 0.3))
    for _ in range(rng.integers(1, 4)):
        (top, left), width_ = rng.uniform(-0.2, 1.2, 2), rng.uniform(0.25, 0.6)
        down, across = (
            np.exp(-(((at - middle) / width_) ** 2) / 2) for at, middle in ((y, top), (x, left))
        )
        veil += np.outer(down, across)[..., None].astype(np.float32) * _colour(rng)
    return np.asarray(
        veil * np.float32(rng.uniform(0.03, _BRIGHTEST) / float(veil.max())), np.float32
    )


def _colour(rng: np.random.Generator) -> Image:
    """A pale colour of random strength."""
    return (rng.uniform(0.3, 1) * rng.uniform(0.6, 1, 3)).astype(np.float32)
