"""A photo whose faces stand in another light.

Every pixel is multiplied by the new shading over the old one, both the harmonics' of the same
normals: skin, hair and whatever harmonics miss (the residual) keep their detail and grow in
proportion. Shadows keep some light, highlights approach white and do not clip, and the photo
outside the heads stays as it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import softplus

from iid_residual.harmonics import shade, unit, vectors_from_house
from iid_residual.portrait import LitFace, Portrait, scaled, smaller
from intrinsic_cli.kit.files.opencv import cv2

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

#: Shadings are compared in a copy of the face whose longer side is this, pixels; they have no
#: detail of their own.
_LONGEST = 256
#: The least shading, in the mean shading of the face; the same before and after, so that a face in
#: its own light stays as it is.
_LEAST = 0.12
_MOST = 4.0  # times as bright or as dark as a pixel was
_TINY = 1e-6


def relit(portrait: Portrait, lights: Sequence[Tensor]) -> Image:
    """The photo [H,W,3] with a light [27] for each face in place of its own."""
    made = portrait.photo.copy()
    white = max(1.0, float(made.max(initial=0)))
    for face, light in zip(portrait.faces, lights, strict=True):
        photo = portrait.photo[face.window]
        part = portrait.mask[face.window] * portrait.share(face)
        gain = _gain(portrait, face, light)
        made[face.window] += part * (_multiplied(photo, gain, white) - photo)
    return made


def _gain(portrait: Portrait, face: LitFace, light: Tensor) -> Image:
    """What the face's pixels are multiplied by [h,w,3]; in the mean it stays as bright as it was,
    but for what is bounded."""
    drawn = _planes(portrait.normals[face.window])
    normals = unit(vectors_from_house(drawn))
    head = _planes(portrait.mask[face.window])
    old = _relative(shade(normals, face.light[None]), head)
    new = _relative(shade(normals, light[None]), head)
    most = math.log(_MOST)
    change = new.log() - old.log()
    bounded = most * torch.tanh(change / most)
    gains = bounded.exp()[0]
    small = gains.permute(1, 2, 0).numpy()
    height, width = portrait.mask[face.window].shape[:2]
    gain = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(gain, np.float32)


def _multiplied(photo: Image, gain: Image, white: float) -> Image:
    """``photo · gain``, of which what becomes brighter approaches white and keeps its colour."""
    made: Image = photo * gain
    before = photo.max(axis=2, keepdims=True)
    after = made.max(axis=2, keepdims=True)
    room = np.maximum(white - before, _TINY)
    brighter = np.maximum(after - before, 0)
    reached = np.minimum(after, before) - room * np.expm1(-brighter / room)
    made *= reached / np.maximum(after, _TINY)
    return made


def _relative(shading: Tensor, head: Tensor) -> Tensor:
    """A shading in units of its mean on the head; it bends off before it falls below the least."""
    mean = _mean(shading.clamp_min(0), head)
    bend = _LEAST / 2
    above = shading / mean.clamp_min(_TINY) - _LEAST
    return _LEAST + bend * softplus(above / bend)


def _mean(x: Tensor, where: Tensor) -> Tensor:
    """[1,C,h,w] → its mean over the pixels inside, a number; over all where none is."""
    inside = where if bool(where.sum() > 1) else torch.ones_like(where)
    return (x * inside).sum() / (inside.sum() * x.shape[1])


def _planes(layer: Image) -> Tensor:
    """A layer [h,w,C] made small: [1,C,h',w']."""
    height, width = layer.shape[:2]
    scale = min(1.0, _LONGEST / max(height, width))
    small = smaller(layer, scaled(height, width, scale))
    planes = torch.from_numpy(small).permute(2, 0, 1)
    return planes[None]
