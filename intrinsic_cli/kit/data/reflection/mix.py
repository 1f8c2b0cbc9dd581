"""One photo behind glass: what is behind, what is mirrored, and stray light.

A pane lets one scene through and mirrors another; in linear light the two simply add up. Whatever
has photos can therefore be mixed into photos with exact truth. What is drawn at random follows how
such synthetic reflections are commonly made: the mirrored scene is dimmer, mostly out of focus,
sometimes doubled by the two faces of the pane, seldom fills the picture, and often only its bright
parts are seen (Fan et al., "A Generic Deep Architecture for Single Image Reflection Removal", ICCV
2017; Zhang et al., "Single Image Reflection Separation with Perceptual Losses", CVPR 2018). The
numbers are our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.api.outputs import SUMMANDS
from intrinsic_cli.kit.data.crops import WHITE
from intrinsic_cli.kit.data.reflection.optics import defocus, double, flare, vignette
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.light.colour import decode_codes, encode_codes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.kit.data.rows import Sample

_CLIPS = 0.5  # share of mixtures that are exposed for what is behind the glass
_BRIGHT = 0.5  # share of reflections as bright as what is behind the glass


def mix(
    behind: Image, mirrored: Image, rng: np.random.Generator, names: tuple[str, ...] = SUMMANDS[:2]
) -> Sample:
    """Two photos [H,W,3] (the second of any size) → ``photo``, the layers ``names`` [H,W,3] and
    ``mask`` [H,W,1], 0 where a photo clips and what lies behind is not known.

    Where their sum would be brighter than white, either all layers are dimmed alike or the sum
    clips, and the layers in front lose what does not show."""
    height, width = behind.shape[:2]
    transmission = behind * np.float32(rng.uniform(0.6, 1.0))
    reflection = _mirror(_cover(mirrored, height, width), rng)
    layers = {"transmission": transmission, "reflection": reflection}
    if "flare" in names:
        layers["flare"] = flare(height, width, rng)
    shown = _exposed([layers[name] for name in names], rng)
    photo = np.minimum(np.add.reduce(shown), 1.0)
    if rng.random() < 0.5:
        photo = decode_codes(encode_codes(photo, 8), "srgb")
    known = behind.max(-1, keepdims=True) < WHITE
    made = dict(zip(names, shown, strict=True))
    return {"photo": photo, **made, "mask": known.astype(np.float32)}


def _exposed(layers: Sequence[Image], rng: np.random.Generator) -> list[Image]:
    """The layers as they add up to a photo of at most 1."""
    if rng.random() < _CLIPS:
        return clipped(layers)
    brightest = float(np.add.reduce(layers).max())
    gain = np.float32(1 / max(1.0, brightest))
    return [layer * gain for layer in layers]


def clipped(layers: Sequence[Image]) -> list[Image]:
    """Layers of 0 and more whose sum does not pass 1: the last ones lose what is too much."""
    room = np.ones_like(layers[0])
    kept = []
    for layer in layers:
        seen = np.minimum(layer, room)
        kept.append(seen)
        room = room - seen
    return kept


def _mirror(scene: Image, rng: np.random.Generator) -> Image:
    """What the pane throws back of a scene: little of all of it, or much of what is bright in
    it."""
    height, width = scene.shape[:2]
    bright = rng.random() < _BRIGHT
    strength = rng.uniform(0.5, 1.2) if bright else rng.uniform(0.15, 0.6)
    scene = scene * np.float32(strength)
    if rng.random() < 0.75:
        scene = defocus(scene, rng.uniform(0, 0.04) * min(height, width))
    if bright:
        # Beside what is bright, eyes and cameras do not see the dark.
        unseen = np.float32(rng.uniform(0.0, 0.6) * strength)
        scene = np.maximum(scene - unseen, 0.0)
    if rng.random() < 0.3:
        scene = double(scene, rng)
    if rng.random() < 0.6:
        scene = scene * vignette(height, width, rng)
    return scene


def _cover(scene: Image, height: int, width: int) -> Image:
    """The middle of ``scene``, scaled to fill ``height`` × ``width``."""
    rows, columns = scene.shape[:2]
    if (rows, columns) == (height, width):
        return scene
    scale = max(height / rows, width / columns)
    kept_rows = min(round(height / scale), rows)
    kept_columns = min(round(width / scale), columns)
    top = (rows - kept_rows) // 2
    left = (columns - kept_columns) // 2
    window = scene[top : top + max(kept_rows, 1), left : left + max(kept_columns, 1)]
    window = np.ascontiguousarray(window)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    filled = cv2.resize(window, (width, height), interpolation=method)
    return np.asarray(filled, np.float32)
