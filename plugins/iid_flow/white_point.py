"""What counts as white in a photo: how bright it is exposed, and a part of the cast over it.

Networks see photos divided by it, so that they need not learn what statistics tell at once: that
edges are on the average as gray as the paint is (the gray-edge hypothesis of van de Weijer, Gevers
and Gijsenij, IEEE Transactions on Image Processing 2007; first derivatives, Minkowski norm 3).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from intrinsic_cli.kit.light.exposure import exposure

#: Part of the cast of edges that is taken for light; the rest may be paint.
_TRUSTED = 0.6
_STRONGEST = 0.28  # length of a cast's logarithms: more is not believed to be light
_NORM = 3
_BLUR = (0.0366, 0.1113, 0.2167, 0.2706, 0.2167, 0.1113, 0.0366)  # a Gaussian of 1.5 pixels
_MEAN, _STEP = (1.0, 2.0, 1.0), (-1.0, 0.0, 1.0)  # Sobel's
_BLACK = 0.01  # of the brightest pixel: below it colours are not known
_CLIPPED = 0.97  # nor above this in a photo that ends at 1
_NEAR = 5  # pixels that have to be known about an edge, across
_FLAT = 1e-5  # slopes below this are none


def white_point(photo: Tensor) -> Tensor:
    """[B,3,H,W] linear → [B,3,1,1], what white paint would be like: the photo's exposure times the
    part of its cast that is believed to be light. Gray photos, and photos that show no edge, have
    no cast."""
    return exposure(photo) * light_cast(photo)


def light_cast(photo: Tensor) -> Tensor:
    """[B,3,H,W] linear → [B,3,1,1], its geometric mean 1."""
    logarithms = _edge_colour(photo).log()
    cast = logarithms - logarithms.mean(1, keepdim=True)
    length = cast.norm(dim=1, keepdim=True).clamp_min(_FLAT)
    trusted = (_STRONGEST / length).clamp_max(_TRUSTED)
    believed: Tensor = (cast * trusted).exp()
    return believed


def _edge_colour(photo: Tensor) -> Tensor:
    """How steep the channels are where colours are known, [B,3,1,1]."""
    slopes = _slopes(photo / exposure(photo))
    known = _known(photo)
    power = (slopes.pow(_NORM) * known).sum((2, 3), keepdim=True)
    count = known.sum((2, 3), keepdim=True).clamp_min(1)
    return (power / count).pow(1 / _NORM) + _FLAT


def _slopes(photo: Tensor) -> Tensor:
    """|d/dx| + |d/dy| of the blurred photo (Sobel's), [B,3,H,W]."""
    smooth = _filtered(_filtered(photo, _BLUR, 2), _BLUR, 3)
    across = _filtered(_filtered(smooth, _MEAN, 2), _STEP, 3)
    down = _filtered(_filtered(smooth, _STEP, 2), _MEAN, 3)
    return across.abs_().add_(down.abs_())


def _filtered(planes: Tensor, taps: tuple[float, ...], dim: int) -> Tensor:
    """Filtered along ``dim``; the border goes on as it is. (Sums of shifted planes: torch takes
    four times as long for a convolution of every channel by itself.)"""
    length = planes.shape[dim]
    reach = len(taps) // 2
    sides = [0, 0, reach, reach] if dim == 2 else [reach, reach, 0, 0]
    padded = functional.pad(planes, sides, mode="replicate")
    total = torch.zeros_like(planes)
    for start, tap in enumerate(taps):
        if tap:
            total.add_(padded.narrow(dim, start, length), alpha=tap)
    return total


def _known(photo: Tensor) -> Tensor:
    """1 where no pixel about is black or clipped, else 0: [B,1,H,W]. A photo that holds light
    beyond white clips nowhere."""
    brightest = photo.amax(1, keepdim=True)
    most = brightest.amax((2, 3), keepdim=True)
    clipped = (brightest > _CLIPPED) & (most <= 1)
    unknown = (brightest < _BLACK * most) | clipped
    near = functional.max_pool2d(unknown.to(photo.dtype), _NEAR, 1, _NEAR // 2)
    return 1 - near
