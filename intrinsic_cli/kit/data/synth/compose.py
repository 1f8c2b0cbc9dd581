"""A photo made of a rendered scene: paint, lights, colours and a camera.

A scene holds several albedo sets A_j and one-light shadings S_k with highlights R_k, so that any
``sum_k w_k c_k (A_j S_k + R_k)`` is a valid photo of it with exact truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from intrinsic_cli.kit.data.crops import WHITE, WHOLE, Window
from intrinsic_cli.kit.data.crops import resize as resize_square
from intrinsic_cli.kit.data.synth.camera import Camera, everyday, random_camera
from intrinsic_cli.kit.data.synth.glints import random_gloss
from intrinsic_cli.kit.data.synth.highlights import highlight_apart
from intrinsic_cli.kit.data.synth.lighting import Lighting, random_lighting
from intrinsic_cli.kit.data.synth.prints import print_on
from intrinsic_cli.kit.data.synth.shards import ALBEDO
from intrinsic_cli.kit.light.colour import brightest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.kit.data.rows import Sample
    from intrinsic_cli.kit.data.synth.shards import Scene

    Mask = NDArray[np.bool_]

_FLOOR = 2e-3  # shading below this part of the photo's white is too dark to learn from
_DARK = 0.004  # so is a photo
_ISOLATED = 0.25  # of the training samples show one object on black
_LARGE = 0.06  # of the picture: an object that can be shown alone
_PAINTS = 256  # one for each object
_PRINTED = 0.35  # of the training samples carry prints
_BLACK = 0.06  # of the repainted objects are black, or nearly


class _Painted(NamedTuple):
    """What a light falls on: ``albedo`` [H,W,3] as painted, where surfaces are ``known`` [H,W],
    whether they stand ``alone`` on black, whether highlights are told ``apart``, and ``normals``
    [S,S,3] as the photo has them."""

    albedo: Image
    known: Mask
    alone: bool
    apart: bool
    normals: Image


def compose(
    scene: Scene,
    rng: np.random.Generator,
    window: Window,
    side: int,
    plain: bool = False,
    apart: bool = False,
) -> Sample:
    """A square of the scene under a random light, paint and camera: ``photo``, ``albedo``,
    ``shading``, ``normals`` [S,S,3], ``mask`` [S,S,1] (1 where the truth holds) and, where the
    scene knows it, ``light`` [27].

    ``plain`` scenes are never repainted nor cut out; their light is the renderer's own. Highlights
    count as albedo; ``apart`` they are a ``residual`` [S,S,3], see
    :func:`~intrinsic_cli.kit.data.synth.highlights.highlight_apart`, and there are more of them
    than were rendered.
    """
    (sample,) = compose_lights(scene, [rng], window, side, plain, apart)
    return sample


def compose_lights(
    scene: Scene,
    rngs: Sequence[np.random.Generator],
    window: Window,
    side: int,
    plain: bool = False,
    apart: bool = False,
) -> list[Sample]:
    """The same paint and objects once for each of ``rngs``, which draws a light and a camera of its
    own; the first draws what is painted and shown, too. See :func:`compose`."""
    first, *others = rngs
    ids = window.of(scene.ids)
    albedo = _paint(scene, window, ids, first, plain)
    if not plain:
        albedo = _printed(albedo, scene, window, first)
    gloss = None
    if apart and not plain and scene.meta["category"] != "face":
        gloss = random_gloss(scene, window, first)
    light = random_lighting(scene, window, first, plain, gloss)
    known, alone = _shown(ids, first, plain)
    painted = _Painted(albedo, known, alone, apart, _normals(scene, window, side))
    samples = [_lit(painted, light, first, side, plain)]
    for rng in others:
        light = random_lighting(scene, window, rng, plain, gloss)
        samples.append(_lit(painted, light, rng, side, plain))
    return samples


def _lit(
    painted: _Painted, light: Lighting, rng: np.random.Generator, side: int, plain: bool
) -> Sample:
    """A photo of what is ``painted`` under ``light``, with its truth."""
    reflected = painted.albedo * light.shading + light.highlight
    if painted.alone:
        reflected = reflected * painted.known[..., None]
    camera = _camera(reflected, light.cast(painted.known), painted.known, rng, plain)
    planes = {
        "reflected": _resize(reflected, side),
        "shading": _resize(light.shading, side),
        "normals": painted.normals,
    }
    known = _resize(painted.known.astype(np.float32), side) > WHOLE
    sample = _photograph(planes, known, camera, rng)
    if painted.apart:
        highlight = _resize(_highlight(painted, light), side)
        sample = highlight_apart(sample, highlight * camera.gain, known)
    if light.harmonics is None:
        return sample
    return {**sample, "light": _coefficients(light.harmonics * camera.gain)}


def _highlight(painted: _Painted, light: Lighting) -> Image:
    """What of ``light`` is mirrored [H,W,3], none of it by what is not shown."""
    if not painted.alone:
        return light.highlight
    return light.highlight * painted.known[..., None]


def _camera(
    light: Image, cast: NDArray[np.float64], known: Mask, rng: np.random.Generator, plain: bool
) -> Camera:
    """One that exposes ``light`` well; ``plain`` does no more."""
    camera = random_camera(light, known, rng)
    if plain:
        return camera
    return everyday(camera, cast, rng)


def _normals(scene: Scene, window: Window, side: int) -> Image:
    """[side,side,3] of unit length."""
    codes = window.of(scene.normals).astype(np.float32)
    normals = _resize(codes / 127.5 - 1, side)
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-6)
    return normals


def _coefficients(harmonics: NDArray[np.float64]) -> Image:
    """[9,3] → [27]: nine red, nine green, nine blue."""
    by_colour = harmonics.T.reshape(27)
    return by_colour.astype(np.float32)


def _photograph(
    planes: dict[str, Image], known: Mask, camera: Camera, rng: np.random.Generator
) -> Sample:
    """What the camera makes of the reflected light, and the truth in the photo's exposure."""
    photo = camera(planes["reflected"], rng)
    shading = planes["shading"] * camera.gain
    level = brightest(photo)
    darkest = -brightest(-shading)
    mask = known & (level < WHITE) & (level > _DARK) & (darkest > _FLOOR)
    albedo = planes["reflected"] * camera.gain / np.maximum(shading, 1e-6)
    return {
        "photo": photo,
        "albedo": albedo.astype(np.float32),
        "shading": shading.astype(np.float32),
        "normals": planes["normals"],
        "mask": mask[..., None].astype(np.float32),
    }


def _paint(
    scene: Scene, window: Window, ids: NDArray[np.uint8], rng: np.random.Generator, plain: bool
) -> Image:
    """Linear reflectance: one set, or (half of the time) another set and tint for every object."""
    codes = np.stack([window.of(albedo) for albedo in scene.albedos])
    if plain or rng.random() < 0.5:
        return np.asarray(ALBEDO[codes[rng.integers(len(codes))]])
    set_of_object = rng.integers(len(codes), size=_PAINTS)
    choice = set_of_object[ids][None, ..., None]
    chosen = np.take_along_axis(codes, choice, axis=0)[0]
    power, tint = _paints(rng)
    painted = ALBEDO[chosen]
    painted = painted ** power[ids]
    painted = painted * tint[ids]
    return np.asarray(np.clip(painted, 0, 0.98), np.float32)


def _printed(albedo: Image, scene: Scene, window: Window, rng: np.random.Generator) -> Image:
    """``albedo`` with prints on some things, a third of the time; never on a face."""
    if scene.meta["category"] == "face" or rng.random() > _PRINTED:
        return albedo
    ids = window.of(scene.ids)
    codes = window.of(scene.normals)
    normals = codes.astype(np.float32) / 127.5 - 1
    return print_on(albedo, ids, normals, rng)


def _paints(rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A power [256,1] and a tint [256,3] for every object; the backdrop keeps its paint."""
    one_each = (_PAINTS, 1)
    power = np.exp(rng.normal(0, 0.2, one_each))
    strength = rng.normal(0, 0.3, one_each)
    black = rng.random(one_each) < _BLACK
    darker = rng.uniform(-2.5, -1, one_each)
    strength = np.where(black, darker, strength)
    colour = rng.normal(0, 0.12, (_PAINTS, 3))
    tint = np.exp(strength + colour)
    power[0] = 1
    tint[0] = 1
    return power, tint


def _shown(ids: NDArray[np.uint8], rng: np.random.Generator, plain: bool) -> tuple[Mask, bool]:
    """Where surfaces are, and whether they stand on black."""
    known = ids > 0
    isolated = rng.random() < _ISOLATED  # drawn for plain scenes too: it is part of their seed
    if plain or not isolated:
        return known, False
    return _isolate(known, ids, rng), True


def _isolate(known: Mask, ids: NDArray[np.uint8], rng: np.random.Generator) -> Mask:
    """Keep one object (or a few) on black, as in studio photographs; all of them when none is large
    enough."""
    names, counts = np.unique(ids[known], return_counts=True)
    large = names[counts > _LARGE * ids.size]
    if not large.size:
        return known
    count = rng.integers(1, min(3, large.size) + 1)
    kept = rng.choice(large, size=count, replace=False)
    return known & np.isin(ids, kept)


def _resize(plane: Image, side: int) -> Image:
    return plane if plane.shape[0] == side else resize_square(plane, side)
