"""Doubling a map, then a 5x5 convolution, without ever making the doubled map.

Nearest-neighbour doubling repeats every pixel, so the five taps of a row fall on three pixels of
the small map; on which, depends on whether the output row is even or odd. The same holds for
columns: four 3x3 convolutions of the small map, one for each phase, give the four interleaved parts
of the output with 9 products where there were 25.

At the border the published networks reflect the doubled map by two pixels. Repeating the small
map's outermost pixel instead is the same for the inner of these two, so that only the outermost
output rows and columns differ, by a one-dimensional convolution of the difference between the two
outermost rows or columns."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

#: (phase, small tap, tap): which of the five taps fall on which of three small pixels, for even and
#: for odd outputs.
_FALL = (
    ((1, 1, 0, 0, 0), (0, 0, 1, 1, 0), (0, 0, 0, 0, 1)),
    ((1, 0, 0, 0, 0), (0, 1, 1, 0, 0), (0, 0, 0, 1, 1)),
)
#: Outermost rows (or columns), their neighbours, and the tap that reflection moves there.
_OUTERMOST = ((0, 1, 0), (-1, -2, 4))


def doubled_conv(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """``[B,C,h,w]`` (h, w at least 2) → ``[B,O,2h,2w]``: nearest doubling, reflect padding by 2,
    ``weight`` ``[O,C,5,5]``; equal to the plain form to about 1e-6, gradients too."""
    padded = F.pad(x, (1, 1, 1, 1), mode="replicate")
    parts = F.conv2d(padded, phase_weights(weight).flatten(0, 2))
    y = F.pixel_shuffle(parts, 2)
    add_edges(y, x, weight)
    if bias is None:
        return y
    return y + bias[:, None, None]


def phase_weights(weight: Tensor) -> Tensor:
    """``[O,C,5,5]`` → ``[O,2,2,C,3,3]``, the kernels of the phases (row, column)."""
    fall = torch.tensor(_FALL, dtype=weight.dtype, device=weight.device)
    return torch.einsum("pau,qbv,ocuv->opqcab", fall, fall, weight)


def add_edges(y: Tensor, x: Tensor, weight: Tensor) -> None:
    """Turn ``y`` ``[B,O,2h,2w]``, made with the border of ``x`` repeated, into what reflection
    gives; in place."""
    _add_to_outermost(y, x, weight, 2, "reflect")
    _add_to_outermost(y, x, weight, 3, "replicate")


def _add_to_outermost(y: Tensor, x: Tensor, weight: Tensor, dim: int, mode: str) -> None:
    """The first and the last row (``dim`` 2) or column (3) of ``y``, in place; ``mode`` as for
    :func:`_edge`."""
    for line, neighbour, tap in _OUTERMOST:
        outermost = x.select(dim, line)
        step = x.select(dim, neighbour) - outermost
        edge = _edge(step, weight.select(dim, tap), mode)
        y.select(dim, line).add_(edge)


def _edge(line: Tensor, weight: Tensor, mode: str) -> Tensor:
    """``[B,C,n]`` → ``[B,O,2n]``: doubled, padded by 2 as ``mode`` says, convolved with ``weight``
    [O,C,5]. The rows' share of the corners is settled here, so columns repeat."""
    doubled = line.repeat_interleave(2, dim=2)
    return F.conv1d(F.pad(doubled, (2, 2), mode=mode), weight)
