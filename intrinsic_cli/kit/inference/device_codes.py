"""Layers → the codes of integer files, on the device where they are: the formulas of
:mod:`~intrinsic_cli.kit.files.encodings`, of which the codes are the same but for rounding."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from intrinsic_cli.api.outputs import Kind
from intrinsic_cli.kit.files.fine_codes import has_sign
from intrinsic_cli.kit.light.colour import linear_to_srgb

_MOST = 0.999  # of the pixels stay below half of the largest scale


def encoded(layer: Tensor, kind: Kind, bits: int, scale: float) -> Tensor:
    """A layer [1,C,h,W] → [h,W,C]: uint8, or int16 in the place of uint16, which few devices
    know."""
    shares = (layer[0] / scale).permute(1, 2, 0)
    if has_sign(kind):
        shares = (shares + 1) / 2
    shares = shares.clamp(0.0, 1.0)
    if kind.encoding == "srgb":
        shares = linear_to_srgb(shares)
    top = (1 << bits) - 1
    codes = (shares * top + 0.5).contiguous()
    if bits == 8:
        return codes.to(torch.uint8)
    return codes.to(torch.int32).to(torch.int16)


def magnitude(layer: Tensor, kind: Kind) -> Tensor:
    """The largest in a layer, as a tensor of one number."""
    return (layer.abs() if has_sign(kind) else layer).max()


def magnitudes(layer: Tensor, kind: Kind) -> Tensor:
    """How large the largest channel of each pixel of a layer [1,C,h,W] is, [h·W]."""
    values = layer.abs() if has_sign(kind) else layer
    return values.amax(dim=1).flatten()


def common_magnitude(sample: Tensor) -> float:
    """What 99.9 % of the magnitudes stay below: as numpy's percentile with the method "lower"."""
    place = math.floor(_MOST * (sample.numel() - 1))
    value, _ = sample.kthvalue(place + 1)
    return float(value)
