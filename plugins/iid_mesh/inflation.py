"""How thick an object may be behind each pixel of its silhouette, as a balloon of that outline
would be.

The height h of a soap film solves ∇²h = −4 with h = 0 on the outline; √h is a half sphere over a
disc, and stays low over thin parts.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

#: Conjugate gradients end after so many steps, or when the rest is this small a share.
_STEPS = 400
_REST = 1e-3


def thickness(mask: Tensor) -> Tensor:
    """A silhouette [S,S], 0..1 → half the thickness at each pixel [S,S], in units of the picture
    (-1..1 across), 0 outside."""
    inside = (mask > 0.5).to(mask.dtype)
    pixel = 2 / mask.shape[-1]
    height = _film(inside) * pixel**2
    return height.clamp_min(0).sqrt()


def _film(inside: Tensor) -> Tensor:
    """∇²h = −4 on the pixels inside, by conjugate gradients; the grid's spacing is 1."""
    height = torch.zeros_like(inside)
    rest = 4 * inside
    direction, size = rest, rest.square().sum()
    enough = size * _REST**2
    for _ in range(_STEPS):
        if size <= enough:
            break
        pushed = _negative_laplacian(direction) * inside
        step = size / (direction * pushed).sum()
        height = height + step * direction
        rest = rest - step * pushed
        last, size = size, rest.square().sum()
        direction = rest + size / last * direction
    return height


def _negative_laplacian(values: Tensor) -> Tensor:
    """Of a plane [S,S] that is 0 beyond its border."""
    kernel = values.new_tensor([[0, -1, 0], [-1, 4, -1], [0, -1, 0]])
    plane = values[None, None]
    return F.conv2d(plane, kernel[None, None], padding=1)[0, 0]
