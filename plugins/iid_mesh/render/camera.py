"""Weak-perspective cameras and quaternions.

A camera is seven numbers, (scale, tx, ty, qw, qx, qy, qz): a point is turned by the unit quaternion
and scaled; then x and y are shifted, and z is moved 5 away from the viewer. Pictures span -1..1, x
to the right and y DOWN. Templates stand with z up and are mirror-symmetric about y = 0.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from intrinsic_cli.api import DataError

#: Scales a camera may have; a larger object would be nothing but a few faces.
LEAST_SCALE, GREATEST_SCALE = 0.02, 4.0
#: How far from the viewer the middle of an object lies.
DISTANCE = 5.0


def checked(cameras: Tensor) -> Tensor:
    """Cameras [B,7] with unit quaternions and scales within bounds. DataError where a number is not
    finite or a quaternion is zero."""
    if not torch.isfinite(cameras).all():
        raise DataError("a camera has numbers that are not finite", "its network has diverged")
    length = cameras[:, 3:].norm(dim=1, keepdim=True)
    if (length < 1e-8).any():
        raise DataError("a camera has a quaternion of length zero", "a unit quaternion is needed")
    scale = cameras[:, :1].clamp(LEAST_SCALE, GREATEST_SCALE)
    return torch.cat([scale, cameras[:, 1:3], cameras[:, 3:] / length], 1)


def project(points: Tensor, cameras: Tensor) -> Tensor:
    """Points [B,V,3], or [V,3] for all, seen by cameras [B,7] → [B,V,3]: x and y in the picture, z
    the distance from the viewer. DataError as of :func:`checked`."""
    cameras = checked(cameras)
    points = points.expand(len(cameras), -1, -1)
    upright = rotate(points, cameras[:, 3:])
    scale = cameras[:, None, :1]
    shift = cameras[:, None, 1:3]
    moved = F.pad(shift, (0, 1), value=DISTANCE)
    return scale * upright + moved


def rotate(points: Tensor, quaternions: Tensor) -> Tensor:
    """Points [B,V,3] turned by unit quaternions [B,4] → [B,V,3]."""
    return points @ matrices(quaternions).transpose(1, 2)


def matrices(quaternions: Tensor) -> Tensor:
    """Unit quaternions [B,4] → rotation matrices [B,3,3]: columns are the turned axes."""
    w = quaternions[:, :1, None]
    v = quaternions[:, 1:, None]
    unit = torch.eye(3).to(quaternions)
    axes = unit.expand(len(v), -1, -1)
    same = v.expand_as(axes)
    across = torch.linalg.cross(same, axes, dim=1)
    straight = v @ v.mT
    shrunk = w * w - 0.5
    half: Tensor = straight + shrunk * unit + w * across
    return 2 * half


def multiply(q: Tensor, p: Tensor) -> Tensor:
    """Hamilton's product of quaternions [...,4]: first ``p`` turns, then ``q``."""
    both = q * p
    along = both[..., 1:].sum(-1, keepdim=True)
    real = both[..., :1] - along
    q = q.expand_as(both)
    p = p.expand_as(both)
    v = q[..., 1:]
    u = p[..., 1:]
    across = torch.linalg.cross(v, u)
    rest = q[..., :1] * u
    rest = rest + p[..., :1] * v
    return torch.cat([real, rest + across], -1)


def about_axis(axis: str, degrees: Tensor | float) -> Tensor:
    """The quaternions [...,4] of turns about ``x``, ``y`` or ``z``; ``degrees`` [...]."""
    kind = torch.get_default_dtype()
    angle = torch.as_tensor(degrees, dtype=kind)
    half = torch.deg2rad(angle) / 2
    parts = [half.cos()]
    for name in "xyz":
        turns = name == axis
        parts.append(half.sin() * turns)
    return torch.stack(parts, -1)


def anchors(count: int) -> Tensor:
    """Quaternions [K,4] that look at a standing object from ``count`` sides, evenly all round."""
    azimuths = torch.arange(count) * (360.0 / count)
    return multiply(about_axis("x", 90.0), about_axis("z", azimuths))


def turned(cameras: Tensor, axis: str, degrees: Tensor | float) -> Tensor:
    """Cameras [B,7] after the seen object was turned about an axis of the picture."""
    turn = about_axis(axis, degrees).to(cameras)
    return torch.cat([cameras[:, :3], multiply(turn, cameras[:, 3:])], 1)


def mirrored(cameras: Tensor) -> Tensor:
    """The cameras [B,7] of mirrored photos of objects that are symmetric about y = 0: x of the
    picture and y of the object are turned round, which together is a turn again."""
    scale, x, y, *quaternion = cameras.unbind(1)
    qw, qx, qy, qz = quaternion
    return torch.stack([scale, -x, y, qz, -qy, -qx, qw], 1)


def geodesic(q: Tensor, p: Tensor) -> Tensor:
    """The angle between turns, quaternions [...,4], in degrees 0..180 [...]."""
    near, far = (q - p).norm(dim=-1), (q + p).norm(dim=-1)
    quarter = torch.atan2(torch.minimum(near, far), torch.maximum(near, far))
    return torch.rad2deg(4 * quarter)
