"""A layer that bends a template, made to bend neighbours alike."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from iid_mesh.template import icosphere


@torch.no_grad()
def smooth_shape(layer: nn.Linear, times: int) -> None:
    """Let every offset the layer makes, [337·3] numbers, become the mean of itself and of the mean
    of its neighbours, ``times`` over: a linear change of its weights, whatever they multiply."""
    mean = _neighbours(times).to(layer.weight)
    for numbers in (layer.weight, layer.bias):
        columns = numbers.view(len(layer.bias), -1)
        offsets = columns.T.reshape(columns.shape[1], -1, 3)
        whole = icosphere().symmetrise(offsets)
        smooth = mean @ whole
        half = smooth[:, : offsets.shape[1]]
        columns.copy_(half.flatten(1).T)


def _neighbours(times: int) -> Tensor:
    """[642,642]: what each vertex takes from the others."""
    edges = icosphere().edges
    count = len(icosphere().vertices)
    beside = torch.zeros(count, count)
    beside[edges[:, 0], edges[:, 1]] = 1
    beside[edges[:, 1], edges[:, 0]] = 1
    shares = beside / beside.sum(1, keepdim=True)
    once = (torch.eye(count) + shares) / 2
    taken: Tensor = torch.linalg.matrix_power(once, times)
    return taken
