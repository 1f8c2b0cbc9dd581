"""Shapes in the template's axes as meshes in the house's: x right, y up, z to the viewer.

The template stands with z up and looks along x; its mesh does so with y up, seen from its side."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from iid_mesh.template import icosphere
from iid_mesh.texture import Painted
from intrinsic_cli.api import Mesh


def to_mesh(vertices: Tensor, painted: Painted) -> Mesh:
    """A shape [V,3] with its texture."""
    x, y, z = vertices.detach().cpu().unbind(1)
    placed = np.stack([x.numpy(), z.numpy(), -y.numpy()], axis=1)
    return Mesh(
        vertices=placed.astype(np.float32),
        faces=icosphere().outward.numpy(),
        texture=painted.texture.cpu().numpy(),
        uv=painted.chart.uv,
        uv_faces=painted.chart.faces,
    )
