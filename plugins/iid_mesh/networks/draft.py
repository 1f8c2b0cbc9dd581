"""What the layers of either size hand to :class:`~iid_mesh.networks.mesh_net.MeshNet`."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(slots=True)
class Cameras:
    """K hypotheses for each of B photos: ``turns`` [B,K,4], unit quaternions that follow the
    anchors; ``scales`` [B,K,1]; ``shifts`` [B,K,2]; ``logits`` [B,K]. Of the small network, scales
    and shifts are half the side and the middle of the box that the shape fills in the photo: so a
    wrong turn displaces nothing."""

    turns: Tensor
    scales: Tensor
    shifts: Tensor
    logits: Tensor


@dataclass(slots=True)
class Draft:
    """Of B photos: ``shape`` [B,337,3] offsets; ``cameras``; ``maps``, the encoder's, from stride
    2 up; ``features`` [B,F]. ``flow`` [B,2,h,h] is of the right side, None where it is a matter of
    matching."""

    shape: Tensor
    cameras: Cameras
    maps: list[Tensor]
    features: Tensor
    flow: Tensor | None = None
