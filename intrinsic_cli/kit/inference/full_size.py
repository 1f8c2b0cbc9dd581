"""Layers at a network's size → at the photo's, each as its kind and the frame ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor
from torch.nn import functional

from intrinsic_cli.api.outputs import FACTORS, SUMMANDS, kind_of
from intrinsic_cli.kit.inference.paths import path_for
from intrinsic_cli.kit.light.dark import DarkColours, dark_colours, floored, mend_dark
from intrinsic_cli.kit.light.resize import resize
from intrinsic_cli.kit.light.upsample import split
from intrinsic_cli.kit.light.upsample_sums import split_sum

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.kit.inference.answer import Kinds
    from intrinsic_cli.kit.inference.prepare import PreparedPhoto

ALBEDO, SHADING = FACTORS
Layers = dict[str, Tensor]


def to_full_size(
    photo: PreparedPhoto, layers: Mapping[str, Tensor], upsample: str, kinds: Kinds
) -> Layers:
    """Layers [1,C,h,w] of one photo at any size → all at the photo's size and in its own light,
    [1,C,H,W]."""
    if upsample == "divide" and SHADING in layers:
        full = _divide(photo, layers, kinds)
    elif upsample == "subtract":
        full = _subtract(photo, layers, kinds)
    else:
        full = {name: _resized(photo, name, layer, kinds) for name, layer in layers.items()}
    height, width = photo.size
    exposed = {name: _in_its_light(photo, name, layer, kinds) for name, layer in full.items()}
    return {name: layer[..., :height, :width] for name, layer in exposed.items()}


def alpha_at_full_size(photo: PreparedPhoto, alpha: Tensor | None, index: int) -> Image | None:
    """Where the layers of one photo of the batch hold, [H,W] at the photo's size."""
    if alpha is None:
        return None
    padded = (photo.full.shape[-2], photo.full.shape[-1])
    mine = alpha[index : index + 1]
    full = resize(mine, padded).clamp(0, 1)
    height, width = photo.size
    whole = full[0, 0, :height, :width]
    return np.ascontiguousarray(whole.cpu().numpy())


def residuals(layers: Mapping[str, object], kinds: Kinds) -> list[str]:
    """The names of the layers that hold what the others miss of the photo."""
    return [name for name in layers if kind_of(name, kinds).name == "residual"]


def _divide(photo: PreparedPhoto, layers: Mapping[str, Tensor], kinds: Kinds) -> Layers:
    """Upsample the shading along the photo's edges and give the albedo everything it does not
    explain; but where the photo is nearly black, the other way round."""
    full: Layers = {}
    for name, layer in layers.items():
        if name not in FACTORS:
            full[name] = _resized(photo, name, layer, kinds)
    shading = floored(layers[SHADING], photo.noise)
    same_size = shading.shape[-2:] == photo.small.shape[-2:]
    small = photo.small if same_size else None
    upsample_shading = path_for(photo.full.device).upsample_shading
    full[SHADING] = upsample_shading(photo.full, shading, small)
    diffuse = photo.full
    for name in residuals(full, kinds):
        diffuse = (diffuse - full[name]).clamp(min=0.0)
    full[ALBEDO] = split(diffuse, full[SHADING])
    dark = dark_colours(photo.small, shading, photo.noise)
    if dark is not None:
        mend_by(partial(_mend, dark, diffuse), diffuse, full, kinds)
    return full


def _mend(dark: DarkColours, diffuse: Tensor, albedo: Tensor, shading: Tensor) -> None:
    mend_dark(diffuse, albedo, shading, dark)


def mend_by(
    mend: Callable[[Tensor, Tensor], None], diffuse: Tensor, layers: Layers, kinds: Kinds
) -> None:
    """Draw dark colours of the albedo together: ``mend`` changes an albedo and gives a shading the
    rest of ``diffuse``. A residual layer of that many channels takes this rest, which is noise:
    there it does not show, and the shading stays smooth."""
    albedo, shading = layers[ALBEDO], layers[SHADING]
    channels = albedo.shape[1]
    takes = [name for name in residuals(layers, kinds) if layers[name].shape[1] == channels]
    if not takes:
        mend(albedo, shading)
        return
    mend(albedo, shading.clone())
    layers[takes[0]] = layers[takes[0]] + diffuse - albedo * shading


def _subtract(photo: PreparedPhoto, layers: Mapping[str, Tensor], kinds: Kinds) -> Layers:
    """Upsample the summands along the photo's edges and give the transmission everything they do
    not explain."""
    parts = {name: layer for name, layer in layers.items() if name in SUMMANDS[1:]}
    full: Layers = split_sum(photo.full, parts, photo.small)
    for name, layer in layers.items():
        if name not in SUMMANDS:
            full[name] = _resized(photo, name, layer, kinds)
    return full


def _resized(photo: PreparedPhoto, name: str, layer: Tensor, kinds: Kinds) -> Tensor:
    full = resize(layer, (photo.full.shape[-2], photo.full.shape[-1]))
    if kind_of(name, kinds).resize == "unit":
        full = functional.normalize(full, dim=1)
    return full


def _in_its_light(photo: PreparedPhoto, name: str, layer: Tensor, kinds: Kinds) -> Tensor:
    """Layers of light grow with the photo's exposure."""
    if photo.exposure == 1.0 or not kind_of(name, kinds).follows_exposure:
        return layer
    return layer * photo.exposure
