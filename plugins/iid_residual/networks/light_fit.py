"""Light as the shading of known normals tells it: least squares with a prior (a classical fit of
spherical harmonics, made a part of a network)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from iid_residual.harmonics import basis

#: How far each order of the harmonics is held to the prior at first, as shares of a full sphere's
#: say: what no visible normal tells of a light is left to it.
_RIDGES = (0.003, 0.01, 0.03)
_ORDERS = (0, 1, 1, 1, 2, 2, 2, 2, 2)


class LightFit(nn.Module):
    """The light that explains a shading best and lies near a prior; how near, it learns."""

    def __init__(self) -> None:
        super().__init__()
        ridges = torch.tensor([_RIDGES[order] for order in _ORDERS])
        self.log_ridge = nn.Parameter(ridges.log())

    def forward(self, normals: Tensor, shading: Tensor, trust: Tensor, prior: Tensor) -> Tensor:
        """Unit ``normals`` [B,3,h,w], ``shading`` [B,3,h,w], ``trust`` [B,1,h,w] ≥ 0, ``prior``
        [B,27] → light [B,27], in single precision."""
        rows = basis(normals.float()).flatten(2)
        weight = trust.float().flatten(2)
        total = weight.sum(2, keepdim=True)
        weight = weight / total.clamp_min(1e-6)
        start = prior.float().view(-1, 3, 9)
        missing = shading.float().flatten(2) - start @ rows
        weighted = rows * weight
        told = rows @ weighted.transpose(1, 2)
        matrix = told + torch.diag(self.log_ridge.exp())
        wanted = weighted @ missing.transpose(1, 2)
        change: Tensor = torch.linalg.solve(matrix, wanted)
        light = start + change.transpose(1, 2)
        return light.reshape(prior.shape)
