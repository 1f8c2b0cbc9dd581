"""What a pane of glass and a lens do to a scene, all [H,W,3] linear light, drawn at random."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.kit.files.opencv import cv2

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

# Pixels of blur from which on a smaller picture is blurred instead: what is lost cannot be seen.
_COARSE = 3.0
_BRIGHTEST = 0.25  # flare


def defocus(scene: Image, sigma: float) -> Image:
    """Gaussian blur by ``sigma`` pixels, at a cost that does not grow with it."""
    if sigma < 0.3:
        return scene
    height, width = scene.shape[:2]
    shrink = min(max(1, int(sigma / _COARSE)), height, width)
    if shrink == 1:
        return np.asarray(cv2.GaussianBlur(scene, (0, 0), sigma), np.float32)
    size = max(1, width // shrink), max(1, height // shrink)
    small = cv2.resize(scene, size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / shrink)
    large = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, np.float32)


def shallow_focus(scene: Image, rng: np.random.Generator) -> Image:
    """The scene with parts of it out of focus, as a wide aperture shows what is nearer or farther
    than its subject."""
    height, width = scene.shape[:2]
    sigma = rng.uniform(0.005, 0.03) * min(height, width)
    blurred = defocus(scene, sigma)
    where = vignette(height, width, rng)
    return scene + where * (blurred - scene)


def double(scene: Image, rng: np.random.Generator) -> Image:
    """The scene and a weaker copy of it, shifted by up to 4 % of the side: the pane has two faces.
    As bright as it was."""
    height, width = scene.shape[:2]
    reach = 0.04 * min(height, width)
    across, down = (float(x) for x in rng.uniform(-reach, reach, 2))
    weight = float(rng.uniform(0.3, 0.8))
    shift = np.array([[1, 0, across], [0, 1, down]])
    copy = cv2.warpAffine(
        scene,
        shift,
        (width, height),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    whole = 1 + weight
    return np.asarray(cv2.addWeighted(scene, 1 / whole, copy, weight / whole, 0), np.float32)


def vignette(height: int, width: int, rng: np.random.Generator) -> Image:
    """How much of an effect shows where, [H,W,1] in 0..1: smooth blots that cover part of the
    picture."""
    coarse = rng.random((4, 4), dtype=np.float32)
    brighter = np.float32(rng.uniform(-0.25, 0.25))
    size = (width, height)
    blots = cv2.resize(coarse + brighter, size, interpolation=cv2.INTER_CUBIC)
    steep = blots * 2 - np.float32(0.5)
    steep = np.clip(steep, 0, 1)
    smooth: Image = steep * steep * (3 - 2 * steep)
    return smooth[..., None]


def flare(height: int, width: int, rng: np.random.Generator) -> Image:
    """Stray light: nothing half of the time, else a coloured veil of one to three wide Gaussians on
    an even ground."""
    veil = np.zeros((height, width, 3), np.float32)
    if rng.random() < 0.5:
        return veil
    veil += _colour(rng) * np.float32(rng.uniform(0, 0.3))
    for _ in range(rng.integers(1, 4)):
        top, left = rng.uniform(-0.2, 1.2, 2)
        spread = rng.uniform(0.25, 0.6)
        down = _bell(height, top, spread)
        across = _bell(width, left, spread)
        spot = np.outer(down, across)[..., None].astype(np.float32)
        veil += spot * _colour(rng)
    peak = rng.uniform(0.03, _BRIGHTEST) / float(veil.max())
    return np.asarray(veil * np.float32(peak), np.float32)


def _bell(side: int, middle: float, spread: float) -> Image:
    """[side], a Gaussian about ``middle``, both in parts of the side."""
    places = np.linspace(0, 1, side, dtype=np.float32)
    bell: Image = np.exp(-(((places - middle) / spread) ** 2) / 2)
    return bell


def _colour(rng: np.random.Generator) -> Image:
    """A pale colour of random strength."""
    return (rng.uniform(0.3, 1) * rng.uniform(0.6, 1, 3)).astype(np.float32)
