"""Shading annotations in the wild (SAW, Kovacs et al. 2017): is shading smooth where people say it
is?

Labels ``[H,W]``: 0 a discontinuity of normals or depth, 1 a shadow boundary, 2 smooth shading, 100
ignored. A pixel is predicted smooth where the gradient of the shading is below a threshold. One
photo gives counts ``[T,3,2]`` (threshold, label, predicted not smooth | smooth); counts of all
photos are summed before precision and recall are taken."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import conv2d, max_pool2d, pad

from intrinsic_cli.kit.files.opencv import cv2

Variant = Literal["saw-c", "saw-u", "saw-2017"]
Curve = tuple[Tensor, Tensor]

SHARP, SHADOW, SMOOTH, IGNORED = 0, 1, 2, 100
_WEIGHTS = (1.0, 1.0, 2.0)
_SOBEL = ((-1.0, 0.0, 1.0), (-2.0, 0.0, 2.0), (-1.0, 0.0, 1.0))


def thresholds(variant: str) -> Tensor:
    """The gradient thresholds [T], rising, of ``saw-c`` and ``saw-u`` (logarithmic), ``saw-2017``
    or ``saw-o``."""
    if variant == "saw-o":
        return torch.logspace(-4, float(np.log10(2)), 400, dtype=torch.float64)
    if variant == "saw-2017":
        lower = torch.logspace(-4, 0, 100, dtype=torch.float64) / 2
        return torch.cat([lower, 1 - lower.flip(0)])
    fine = torch.linspace(1.001, 1.5, 200, dtype=torch.float64)
    coarse = torch.linspace(1.501, 64.0, 200, dtype=torch.float64)
    return torch.cat([fine, coarse]).log()


def counts(
    shading: Tensor, labels: Tensor, variant: Variant = "saw-c", weights: Tensor | None = None
) -> Tensor:
    """Shading ``[C,H,W]`` linear at the labels' size, ``labels`` [H,W] → counts [T,3,2].

    ``saw-c`` (the challenge) and ``saw-u``: gradient of ``ln max(S^.4545, 1e-4)`` of the channel
    mean; discontinuities and shadows see it max-filtered (10), smooth pixels see it plain and count
    by ``weights`` [H,W] (:func:`smooth_weights`; ``saw-u``: 1 each). ``saw-2017``: gradient of S
    itself, max-filtered for all labels."""
    level = shading.double().mean(0).to(labels.device)
    if variant != "saw-2017":
        level = level.clamp(min=0).pow(0.4545).clamp(min=1e-4).log()
    plain = sobel(level)
    blurred = _max_filter(plain, 10)
    smooth = labels == SMOOTH
    levels = thresholds(variant)
    tallies = [_tally(blurred[labels == kind], None, levels) for kind in (SHARP, SHADOW)]
    seen = (blurred if variant == "saw-2017" else plain)[smooth]
    mass = None
    if weights is not None and variant == "saw-c":
        mass = weights.to(level)[smooth]
    return torch.stack([*tallies, _tally(seen, mass, levels)], dim=1)


def smooth_weights(labels: NDArray[np.int64], photo: NDArray[np.float32]) -> NDArray[np.float64]:
    """How much each smooth pixel counts in ``saw-c`` [H,W]: the mean gradient of the photo over its
    region.

    ``photo`` [H,W,3] as sRGB codes in 0..1, at the labels' size: shading that is smooth although
    the photo is not is the hard case. Regions are connected by sides and corners (our reading: the
    definition says "connected")."""
    level = photo.mean(-1, dtype=np.float64)
    gradient = sobel(torch.from_numpy(level)).numpy()
    smooth = labels == SMOOTH
    count, regions = cv2.connectedComponents(smooth.astype(np.uint8), connectivity=8)
    number = regions.ravel()
    area = np.bincount(number, minlength=count)
    total = np.bincount(number, gradient.ravel(), minlength=count)
    mean = total / np.maximum(area, 1)
    weights: NDArray[np.float64] = np.where(smooth, mean[regions], 0.0)
    return weights


def curve(counted: Tensor, balanced: bool = True, undefined: float = 1.0) -> Curve:
    """Counts [T,3,2] → precision [T] and recall [T].

    Rows are weighted 1, 1, 2 and (``balanced``) brought to equal sums first. ``undefined`` is the
    precision where nothing is predicted smooth."""
    rows = counted.double()
    if balanced:
        rows = rows / rows.sum(2, keepdim=True).clamp(min=1e-300)
    rows = rows * rows.new_tensor(_WEIGHTS)[:, None]
    found, said = rows[:, SMOOTH, 1], rows[:, :, 1].sum(1)
    precision = torch.where(
        said > 0, found / said.clamp(min=1e-300), torch.full_like(said, undefined)
    )
    return precision, found / rows[:, SMOOTH].sum(1).clamp(min=1e-300)


def average_precision(precision: Tensor, recall: Tensor) -> Tensor:
    """The trapezoid area under precision over rising recall, with (0, first precision) and (1, .5)
    added."""
    ends = precision.new_tensor([0.0, 1.0, 0.5])
    x = torch.cat([ends[:1], recall, ends[1:2]])
    return torch.trapezoid(torch.cat([precision[:1], precision, ends[2:]]), x)


def precision_at(precision: Tensor, recall: Tensor, wanted: float) -> Tensor:
    """Precision at the least threshold that reaches the recall ``wanted``, linear between
    thresholds."""
    reached = torch.searchsorted(recall.contiguous(), wanted)
    after = int(reached.clamp(1, len(recall) - 1))
    before = after - 1
    distance = wanted - recall[before]
    span = recall[after] - recall[before]
    part = distance / span.clamp(min=1e-12)
    part = part.clamp(0, 1)
    return torch.lerp(precision[before], precision[after], part)


def counts_saw_o(prediction: Tensor, truth: Tensor) -> Tensor:
    """``saw-o``, a flow method's own score and **not** SAW: true and predicted shading [H,W] →
    counts [400,3,2].

    Labels come from the truth: smooth where ``|∇ ln S|`` (central differences) is below its 70th
    percentile, else shadow where S is below its 20th, else sharp. Counted where .005 < truth < .995
    and prediction > .005."""
    p, g = prediction.double(), truth.double()
    gradient = _central(g.clamp(min=1e-4).log())
    labels = torch.where(g < g.quantile(0.2), SHADOW, SHARP)
    labels = torch.where(gradient < gradient.quantile(0.7), SMOOTH, labels)
    known = (g > 0.005) & (g < 0.995) & (p > 0.005)
    seen = _central(p.clamp(min=1e-4).log())
    levels = thresholds("saw-o")
    counted = []
    for kind in (SHARP, SHADOW, SMOOTH):
        gradients = seen[known & (labels == kind)]
        counted.append(_tally(gradients, None, levels))
    return torch.stack(counted, dim=1)


def sobel(x: Tensor) -> Tensor:
    """[H,W] → length of the gradient by 3×3 Sobel filters, not normalised; edges are repeated
    outwards."""
    across = x.new_tensor(_SOBEL)
    both = torch.stack([across, across.T])[:, None]
    padded = pad(x[None, None], (1, 1, 1, 1), mode="replicate")
    slopes = conv2d(padded, both)[0]
    return slopes.square().sum(0).sqrt()


def _max_filter(x: Tensor, size: int) -> Tensor:
    """[H,W] → the largest value in a window, one more pixel before than after for even sizes."""
    before, after = size // 2, size - size // 2 - 1
    padded = pad(x[None, None], (before, after, before, after), value=-torch.inf)
    return max_pool2d(padded, size, 1)[0, 0]


def _tally(gradients: Tensor, weights: Tensor | None, levels: Tensor) -> Tensor:
    """Gradients [N] → [T,2]: how many (by weight) are not smooth and smooth at every threshold."""
    order = gradients.argsort()
    mass = torch.ones_like(gradients) if weights is None else weights[order]
    total = torch.cat([mass.new_zeros(1), mass.cumsum(0)])
    levels = levels.to(gradients.device)
    count = torch.searchsorted(gradients[order], levels)
    below = total[count]
    above = total[-1] - below
    return torch.stack([above, below], dim=1)


def _central(x: Tensor) -> Tensor:
    dy, dx = torch.gradient(x)
    return torch.hypot(dy, dx)
