"""Highlights made up on rendered scenes: what smooth things mirror of the lights that shine there.

Few rendered things are smooth. A lobe about the direction in which a light is mirrored is all that
a highlight takes, and scenes know where surfaces face and where every light comes from: the
normalised lobe of Blinn (SIGGRAPH 1977). The light that arrives is read off its diffuse shading, so
highlights have its colour and lie in no shadow. Some things are rough, their shine broken into
sparks. The numbers are our own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from intrinsic_cli.kit.data.synth.perspective import pixel_places
from intrinsic_cli.kit.files.opencv import cv2

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.kit.data.crops import Window
    from intrinsic_cli.kit.data.synth.shards import Scene

_SHINY = 0.5  # of the objects
_LOBES = (12.0, 1500.0)  # Blinn's exponents, from satin to enamel
_MIRRORED = (0.03, 0.09)  # of the light that falls on a dielectric
_UNEVEN = 0.5  # of the objects have grain
_ROUGH = (0.0, 0.08)  # spread of their normals
_GRAIN = (0.6, 2.5)  # pixels: how large grain is
_OBJECTS = 256
_TINY = 1e-6


class Gloss(NamedTuple):
    """The smoothness of a square of a scene: Blinn's ``exponent`` and the share ``mirrored``, both
    [H,W], the latter 0 where nothing shines; ``normals`` [H,W,3] with their grain, and the
    directions ``back`` [H,W,3] to the camera."""

    exponent: Image
    mirrored: Image
    normals: Image
    back: Image


def random_gloss(scene: Scene, window: Window, rng: np.random.Generator) -> Gloss:
    """Another smoothness for every object. Not for faces: theirs is rendered."""
    ids = window.of(scene.ids)
    satin, enamel = np.log(_LOBES)
    exponent = np.exp(rng.uniform(satin, enamel, _OBJECTS))
    mirrored = rng.uniform(*_MIRRORED, _OBJECTS)
    mirrored *= rng.random(_OBJECTS) < _SHINY
    mirrored[0] = 0
    roughness = rng.uniform(*_ROUGH, _OBJECTS)
    roughness *= rng.random(_OBJECTS) < _UNEVEN
    grain = roughness[ids][..., None] * _grain(window.size, rng)
    codes = window.of(scene.normals).astype(np.float32)
    normals = codes / 127.5 - 1 + grain
    return Gloss(
        exponent[ids].astype(np.float32),
        mirrored[ids].astype(np.float32),
        _unit(normals),
        window.of(_back(scene)),
    )


def glint(gloss: Gloss, shading: Image, towards: NDArray[np.float64]) -> Image:
    """What is mirrored [H,W,3] of a light that comes from the direction ``towards`` [3] in camera
    space (z to the viewer) and whose diffuse shading is ``shading`` [H,W,3]; in its units."""
    light = _unit(towards)
    half = _unit(gloss.back + light)
    cosine = np.sum(gloss.normals * half, axis=-1)
    cosine = np.maximum(cosine, 0)
    lobe = cosine**gloss.exponent
    height = (gloss.exponent + 8) / 8
    shine = gloss.mirrored * height * lobe
    return np.asarray(shading * shine[..., None], np.float32)


def direction_of(harmonics: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where most of a light comes from, [3] in camera space, by its spherical harmonics [9,3] (the
    linear ones are y, z and x)."""
    y, z, x = harmonics[1:4].mean(axis=1)
    return np.array((x, y, z))


def _back(scene: Scene) -> Image:
    """From everywhere in the picture to the camera, [S,S,3] of unit length."""
    opening = np.deg2rad(scene.meta["fov"])
    width = 2 * np.tan(opening / 2)
    places = pixel_places(scene.side, scene.side)
    x, y = np.moveaxis((places - 0.5) * width, -1, 0)
    back = np.stack([-x, y, np.ones_like(x)], axis=-1)
    return _unit(back)


def _grain(side: int, rng: np.random.Generator) -> Image:
    """[side,side,3] smooth noise of spread 1."""
    noise = rng.standard_normal((side, side, 3), dtype=np.float32)
    blurred = cv2.GaussianBlur(noise, (0, 0), rng.uniform(*_GRAIN))
    return np.asarray(blurred / max(float(blurred.std()), _TINY), np.float32)


def _unit(vectors: NDArray[np.floating]) -> Image:
    """[...,3] of unit length."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, _TINY), np.float32)
