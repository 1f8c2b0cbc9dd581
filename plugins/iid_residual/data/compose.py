"""One sample of a rendered head: cut out, painted, lit and photographed anew.

The photo is albedo · shading in linear light, and its shading holds what harmonics miss: shadows
that are cast, corners that little light reaches, light from other surfaces, highlights. Some
samples are lit by harmonics alone, with lights no scene had.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from iid_residual.data.occluders import fringe, glasses
from iid_residual.data.received_light import received_light
from iid_residual.faces.template import Pose
from iid_residual.harmonics import from_house, in_plane, rotated, to_house
from intrinsic_cli.kit.data.harmonics import shade
from intrinsic_cli.kit.data.synth.camera import Camera, random_camera
from intrinsic_cli.kit.data.synth.shards import ALBEDO, SHADING
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.light.colour import brightest

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.kit.data.rows import Sample
    from intrinsic_cli.kit.data.synth.shards import Scene

Mask = NDArray[np.bool_]

_HARMONIC = 0.2  # share of samples lit by harmonics alone
_DIM = 0.1  # share of samples in low light
_GLASSES, _FRINGE = 0.1, 0.1
_DARKEST = 0.01  # reflectance, below which a highlight would make no sense as shading
_DIMMEST = 0.02  # shading by harmonics alone, which may fall below 0
_SOLID = 250  # of 255, from which on a pixel belongs to the head
_CLIPPED, _BLACK = 0.98, 0.002
#: Of 12 lights of faces (the specification's section 4): mean and spread of the nine coefficients,
#: in SfSNet's order.
_MEAN = (0.586, 0.190, -0.167, -0.011, -0.182, -0.053, 0.008, -0.001, 0.002)
_SPREAD = (0.201, 0.070, 0.198, 0.110, 0.121, 0.055, 0.053, 0.107, 0.127)
_COLOURS = (1.19, 0.95, 0.85)


@dataclass(slots=True)
class Head:
    """A head cut out of a scene: codes of its layers [h,w,3], unit ``normals``, where the head is,
    the five ``points`` in pixels, and the lights' harmonics [K,27] turned with it."""

    albedos: list[NDArray[np.uint8]]
    shadings: list[NDArray[np.uint8]]
    highlights: dict[int, NDArray[np.uint8]]
    normals: Image
    inside: Mask
    points: Image
    lights: Image


def cut_out(scene: Scene, points: Image, pose: Pose, side: int) -> Head:
    """The square ``pose`` of a scene, upright, at ``side`` pixels. ``points`` [5,2] in pixels of
    the scene."""
    cut = _Cut(pose.matrix(side), side)
    normals = cut(scene.normals).astype(np.float32) / 127.5 - 1
    return Head(
        albedos=[cut(codes) for codes in scene.albedos],
        shadings=[cut(codes) for codes in scene.shadings],
        highlights={k: cut(codes) for k, codes in scene.highlights.items()},
        normals=_turned(_unit(normals), -pose.angle),
        inside=cut(head_of(scene, points), cv2.BORDER_CONSTANT) > _SOLID,
        points=cut.points(points),
        lights=_lights(scene, -pose.angle),
    )


@dataclass(frozen=True, slots=True)
class _Cut:
    """Cuts a square of ``side`` pixels out of pictures; ``matrix`` [2,3] takes its pixels to
    theirs."""

    matrix: NDArray[np.float64]
    side: int

    def __call__(
        self, image: NDArray[np.uint8], border: int = cv2.BORDER_REPLICATE
    ) -> NDArray[np.uint8]:
        """``image`` [H,W,…] → [side,side,…]."""
        size = (self.side, self.side)
        flags = cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR
        warped = cv2.warpAffine(image, self.matrix, size, flags=flags, borderMode=border)
        return np.asarray(warped)

    def points(self, points: Image) -> Image:
        """Points of the picture [5,2] in the square."""
        way_back = np.linalg.inv(self.matrix[:, :2])
        offset = points - self.matrix[:, 2]
        return np.asarray(offset @ way_back.T, np.float32)


def head_of(scene: Scene, points: Image) -> NDArray[np.uint8]:
    """[H,W], 255 where the object is that the points lie on."""
    last = scene.ids.shape[0] - 1
    columns, rows = np.clip(points, 0, last).astype(int).T
    seen = scene.ids[rows, columns]
    counts = np.bincount(seen, minlength=2)
    # 0 is no object; where all points miss, the first one is taken.
    name = 1 + counts[1:].argmax()
    inside = scene.ids == name
    return np.asarray(inside * 255, np.uint8)


def compose(head: Head, rng: np.random.Generator, plain: bool = False) -> Sample:
    """A photo of a head with its truth: photo, albedo, shading, normals [h,w,3] linear, light [27]
    of the house; where that holds (mask) and where the head is (silhouette) [h,w,1].

    ``plain``: nothing in front of the face, never harmonics alone."""
    albedo = _paint(head, rng)
    light, shading = _lit(head, albedo, rng, plain)
    seen = albedo * shading
    camera = _camera(seen, head.inside, rng)
    photo = camera(seen, rng)
    level = brightest(photo)
    mask = head.inside & (level < _CLIPPED) & (level > _BLACK)
    if not plain:
        photo, mask = _hidden(photo, mask, head.points, rng)
    gains = camera.gain
    return {
        "photo": photo,
        "albedo": albedo,
        "shading": (shading * gains).astype(np.float32),
        "normals": head.normals,
        "light": (light.reshape(3, 9) * gains[:, None]).reshape(27).astype(np.float32),
        "mask": mask[..., None].astype(np.float32),
        "silhouette": head.inside[..., None].astype(np.float32),
    }


def _paint(head: Head, rng: np.random.Generator) -> Image:
    """One of the scene's sets of paint, a little lighter, darker or tinted."""
    albedo = ALBEDO[head.albedos[rng.integers(len(head.albedos))]]
    gain = np.exp(rng.normal(0, 0.12) + rng.normal(0, 0.04, 3))
    return np.clip(albedo * gain, _DARKEST, 0.95).astype(np.float32)


def _lit(head: Head, albedo: Image, rng: np.random.Generator, plain: bool) -> tuple[Image, Image]:
    """The light [27] of the house that is received, and all of the shading [h,w,3], highlights
    included."""
    light, weights = _mixed(head, rng)
    if not plain and rng.random() < _HARMONIC:
        if rng.random() < 0.5:
            light = _made_up_light(rng)
        return light, np.maximum(shade(head.normals, light), _DIMMEST)
    shading = np.zeros_like(albedo)
    for weight, codes in zip(weights, head.shadings, strict=True):
        shading += weight * SHADING[codes]
    light = received_light(head.normals, shading, head.inside, light)
    for k, codes in head.highlights.items():
        shading += weights[k] * SHADING[codes] / albedo
    return light, shading


def _mixed(head: Head, rng: np.random.Generator) -> tuple[Image, Image]:
    """The lights' own mixed, each with a colour: the harmonics [27] and the weights [K,3]."""
    count = len(head.shadings)
    shares = rng.dirichlet(np.full(count, 0.5))
    colours = np.exp(rng.normal(0, 0.15, (count, 3)))
    weights = (shares[:, None] * colours).astype(np.float32)
    repeated = weights.repeat(9, axis=1)
    light = (repeated * head.lights).sum(0)
    return light, weights


def _made_up_light(rng: np.random.Generator) -> Image:
    """A light of the house [27] no scene had: as faces are lit, then turned round the camera."""
    for _ in range(20):
        nine = rng.normal(_MEAN, 1.3 * np.asarray(_SPREAD))
        gains = np.asarray(_COLOURS) * np.exp(rng.normal(0, 0.1, 3))
        light = torch.from_numpy(np.outer(gains, nine).reshape(1, 27)).float()
        light = rotated(light, in_plane(float(rng.normal(0, 40))))
        if rng.random() < 0.5:
            light.view(3, 9)[:, [3, 6, 8]] *= -1
        front = float(light.view(3, 9)[:, 0].mean()) * 0.886
        if front > 0.1:
            break
    return np.asarray(to_house(light)[0].numpy())


def _camera(seen: Image, inside: Mask, rng: np.random.Generator) -> Camera:
    """As people own them; now and then the picture is far too dark."""
    camera = random_camera(seen, inside, rng)
    if rng.random() >= _DIM:
        return camera
    darker = np.float32(np.exp(rng.uniform(-2.5, -0.8)))
    return replace(camera, gain=camera.gain * darker)


def _hidden(
    photo: Image, mask: Mask, points: Image, rng: np.random.Generator
) -> tuple[Image, Mask]:
    """The photo with something in front of the face, and the mask without it."""
    side = photo.shape[0]
    for share, drawn in ((_GLASSES, glasses), (_FRINGE, fringe)):
        if rng.random() < share:
            cover = drawn(points, side, rng)
            part = cover[..., None].astype(np.float32) / 255
            paint = (rng.uniform(0.002, 0.15) * np.exp(rng.normal(0, 0.2, 3))).astype(np.float32)
            photo = photo + part * (paint * max(float(photo.mean()) * 2, 0.02) - photo)
            mask = mask & (cover == 0)
    return photo, mask


def _lights(scene: Scene, degrees: float) -> Image:
    """Harmonics [K,27] of the scene's lights, in its layers' units, turned with the picture."""
    rows = [light["sh9"] for light in scene.meta["lights"]]
    by_colour = np.asarray(rows, np.float32).transpose(0, 2, 1)
    light = torch.from_numpy(by_colour.reshape(len(rows), 27))
    turn = in_plane(degrees)
    turned = to_house(rotated(from_house(light), turn))
    return np.asarray(turned.numpy())


def _turned(vectors: Image, degrees: float) -> Image:
    """Vectors [h,w,3] (x right, y up) turned counter-clockwise."""
    turn = in_plane(degrees)[:2, :2]
    # There the first coordinate goes down: the same turn, for the plane's other two axes.
    across = vectors[..., :2] @ turn.numpy().T
    towards = vectors[..., 2:]
    return np.concatenate([across, towards], axis=2)


def _unit(vectors: Image) -> Image:
    length = np.linalg.norm(vectors, axis=2, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-6), np.float32)
