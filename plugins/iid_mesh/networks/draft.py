"""What the layers of either size hand to :class:`~iid_mesh.networks.mesh_net.MeshNet`."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(slots=True)
class Draft:
    """Of B photos and K cameras: ``shape`` [B,337,3] offsets; ``flow`` [B,2,h,h] of the right
    side; ``turns`` [B,K,4] unit quaternions that follow the anchors, ``scales`` [B,K,1], ``shifts``
    [B,K,2], ``logits`` [B,K]; ``maps``, the encoder's, from stride 2 up."""

    shape: Tensor
    flow: Tensor
    turns: Tensor
    scales: Tensor
    shifts: Tensor
    logits: Tensor
    maps: list[Tensor]
