"""The light of one sample: a random mix of what the renderer lit the scene with, each light in a
colour of its own, some of them broken by shadows from outside the picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from intrinsic_cli.kit.data.synth.glints import direction_of, glint
from intrinsic_cli.kit.data.synth.shadows import random_shadow
from intrinsic_cli.kit.data.synth.shards import SHADING
from intrinsic_cli.kit.data.synth.warmth import warmed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.kit.data.crops import Window
    from intrinsic_cli.kit.data.synth.glints import Gloss
    from intrinsic_cli.kit.data.synth.shards import Scene

_CAST = 0.12  # spread of a light's logarithms, each channel by itself
_SHADOWED = 0.6  # of the samples have a shadow thrown into them
_SUN = 24.0  # times stronger than drawn: the brightest light that is let through in patches
_LEAK = 0.25  # of a light that goes round what shades it, at most


class Lighting(NamedTuple):
    """The scene's light: ``shading`` and ``highlight`` [H,W,3]; ``harmonics`` [9,3] or None."""

    shading: Image
    highlight: Image
    harmonics: NDArray[np.float64] | None

    def cast(self, known: NDArray[np.bool_]) -> NDArray[np.float64]:
        """The mean colour of the light [3] in ``known`` [H,W], its own mean 1; what a camera's
        white balance would like to take out."""
        if not known.any():
            return np.ones(3)
        colour = self.shading[known].mean(0, dtype=np.float64)
        return np.asarray(colour / max(float(colour.mean()), 1e-6))


def random_lighting(
    scene: Scene,
    window: Window,
    rng: np.random.Generator,
    plain: bool = False,
    gloss: Gloss | None = None,
) -> Lighting:
    """A mix of the scene's lights; ``plain`` throws no shadows and keeps to mild colours; ``gloss``
    adds to what is mirrored.

    ``harmonics`` are those of the lights themselves, without what shades them."""
    weights = _weights(len(scene.shadings), rng)
    arriving: dict[int, Image] = {}
    if not plain:
        shaded = _shaded(weights, rng)
        weights = warmed(weights, _kinds(scene), shaded, rng)
        if shaded is not None:
            arriving[shaded] = _arriving(window.of(scene.ids), rng)
    shadings = dict(enumerate(scene.shadings))
    layers = _lit(shadings, weights, arriving, window)
    glints = _lit(scene.highlights, weights, arriving, window)
    if gloss is not None:
        glints += _glints(scene, gloss, layers)
    shading = _total(layers)
    highlight = _total(glints) if glints else np.zeros_like(shading)
    return Lighting(shading, highlight, _harmonics(scene, weights))


def _weights(count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """How much of each light there is, in mild colours, [count,3]."""
    strength = rng.dirichlet(np.full(count, 0.6))
    logarithms = rng.normal(0, _CAST, (count, 3))
    colour = np.exp(logarithms)
    weights = strength[:, None] * colour
    return weights.astype(np.float32)


def _kinds(scene: Scene) -> list[str]:
    """What the renderer called the scene's lights."""
    return [light.get("type", "") for light in scene.meta["lights"]]


def _shaded(weights: NDArray[np.float32], rng: np.random.Generator) -> int | None:
    """Which light has hard shadows thrown into it. It may be a sun among lamps: its weight is
    raised in place."""
    if rng.random() > _SHADOWED:
        return None
    power = weights.sum(1).astype(np.float64)
    shaded = int(rng.choice(len(weights), p=power / power.sum()))
    weights[shaded] *= np.exp(rng.uniform(0, np.log(_SUN)))
    return shaded


def _arriving(ids: NDArray[np.uint8], rng: np.random.Generator) -> Image:
    """The share of a shaded light that arrives [H,W,1]."""
    leak = rng.uniform(0, _LEAK)
    share = leak + (1 - leak) * random_shadow(ids, rng)
    return np.asarray(share[..., None], np.float32)


def _lit(
    codes: Mapping[int, NDArray[np.uint8]],
    weights: NDArray[np.float32],
    arriving: Mapping[int, Image],
    window: Window,
) -> list[Image]:
    """What every light adds, linear [H,W,3]."""
    layers = []
    for light, plane in codes.items():
        layer = weights[light] * SHADING[window.of(plane)]
        if light in arriving:
            layer = layer * arriving[light]
        layers.append(layer)
    return layers


def _glints(scene: Scene, gloss: Gloss, layers: Sequence[Image]) -> list[Image]:
    """What smooth things mirror of the lights whose directions the scene knows."""
    made = []
    for light, layer in zip(scene.meta["lights"], layers, strict=True):
        if "sh9" in light:
            towards = direction_of(np.array(light["sh9"]))
            made.append(glint(gloss, layer, towards))
    return made


def _harmonics(scene: Scene, weights: NDArray[np.float32]) -> NDArray[np.float64] | None:
    """The mixed lights' spherical harmonics [9,3]; None where the scene does not know them."""
    lights = scene.meta["lights"]
    if any("sh9" not in light for light in lights):
        return None
    total = np.zeros((9, 3))
    for light, weight in zip(lights, weights, strict=True):
        total += np.array(light["sh9"]) * weight
    return total


def _total(layers: Sequence[Image]) -> Image:
    total = layers[0]
    for layer in layers[1:]:
        total = total + layer
    return total
