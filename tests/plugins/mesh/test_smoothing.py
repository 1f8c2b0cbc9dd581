"""Smoothing the layer that bends shapes: neighbours are bent alike, and means stay."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from iid_mesh.smoothing import smooth_shape
from iid_mesh.template import icosphere


def _roughness(shape: Tensor) -> float:
    """Mean distance of neighbours' offsets [337,3]."""
    whole = icosphere().symmetrise(shape[None])[0]
    first, second = icosphere().edges.T
    apart = whole[first] - whole[second]
    return float(apart.detach().norm(dim=1).mean())


def _layer() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(5, 3 * icosphere().half_vertices)


def test_neighbours_are_bent_alike() -> None:
    layer, features = _layer(), torch.randn(5)
    before = layer(features).view(-1, 3)
    smooth_shape(layer, 6)
    after = layer(features).view(-1, 3)
    assert _roughness(after) < 0.4 * _roughness(before)


def test_an_even_offset_stays() -> None:
    """Ahead and up; to the side there is none on the plane of symmetry."""
    layer = _layer()
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.view(-1, 3).copy_(torch.tensor([0.3, 0.0, -0.2]))
    smooth_shape(layer, 4)
    offsets = layer.bias.view(-1, 3)
    torch.testing.assert_close(offsets, torch.tensor([0.3, 0.0, -0.2]).expand_as(offsets))


def test_no_times_change_nothing_that_is_seen() -> None:
    layer, features = _layer(), torch.randn(5)
    before = icosphere().symmetrise(layer(features).view(1, -1, 3))
    smooth_shape(layer, 0)
    after = icosphere().symmetrise(layer(features).view(1, -1, 3))
    torch.testing.assert_close(after, before)
