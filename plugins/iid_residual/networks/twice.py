"""A face looked at twice, as it is and mirrored: errors that depend on the side cancel."""

from __future__ import annotations

import torch
from torch import Tensor

from iid_residual.harmonics import unit
from iid_residual.networks.pipe import Network, Prediction

#: Harmonics that change their sign where left and right change places: y, yz and xy.
_ODD = (3, 6, 8)


def twice(network: Network, photo: Tensor) -> Prediction:
    """What a network says of photos [B,3,H,W] and of the same mirrored, turned back: the mean."""
    both = torch.cat([photo, photo.flip(3)])
    made: Prediction = network(both)
    return Prediction(
        normals=unit(_mean(made.normals, _across(made.normals))),
        albedo=_mean(made.albedo),
        light=_mean_light(made.light),
        harmonic=_maybe(made.harmonic),
        residual=_maybe(made.residual),
        shading=_mean(made.shading),
        rebuilt=_mean(made.rebuilt),
        darker=_maybe(made.darker),
        outline=_maybe(made.outline),
    )


def _mean(x: Tensor, signs: Tensor | float = 1.0) -> Tensor:
    """Of the first half [2B,C,h,w] and the second half mirrored, its channels times ``signs``."""
    straight, mirrored = x.chunk(2)
    return (straight + signs * mirrored.flip(3)) / 2


def _maybe(x: Tensor | None) -> Tensor | None:
    if x is None:
        return None
    return _mean(x)


def _across(normals: Tensor) -> Tensor:
    """Signs [1,3,1,1] that mirror vectors: y is to the right."""
    signs = normals.new_tensor([1.0, -1.0, 1.0])
    return signs.view(1, 3, 1, 1)


def _mean_light(light: Tensor | None) -> Tensor | None:
    if light is None:
        return None
    straight, mirrored = light.chunk(2)
    signs = light.new_ones(9)
    signs[list(_ODD)] = -1
    turned = mirrored.view(-1, 3, 9) * signs
    return (straight + turned.reshape(straight.shape)) / 2
