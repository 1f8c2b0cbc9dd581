"""Surface normals: their angles to the truth, of one photo and of all pixels of a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from intrinsic_cli.api import Case, Metric
from intrinsic_cli.kit import metrics
from intrinsic_cli.kit.score.planes import batch

if TYPE_CHECKING:
    from intrinsic_cli.api.protocols import Answer, Scores

_BELOW = (11.25, 20, 22.5, 25, 30)  # degrees
_WORDS = {"mean": "mean", "median": "median", "rmse": "root mean square", "std": "spread of the"}
_BINS_PER_DEGREE = 20
_BINS = 180 * _BINS_PER_DEGREE

#: What the scores mean; ``normals_pooled_angle_mean`` ends like ``normals_angle_mean``.
METRICS: Mapping[str, Metric] = {
    **{
        f"angle_{name}": Metric("lower", "°", f"{word} angle between normals and the truth")
        for name, word in _WORDS.items()
    },
    **{f"within_{limit:g}": Metric("higher", "%", "normals so near the truth") for limit in _BELOW},
}


def normals_scores(case: Case, answer: Answer) -> Scores:
    """Mean, median and RMSE of the angles in the mask, and how many percent are below some; {}
    where there are no normals or no truth of them. Axes: x right, y up, z to the viewer."""
    if not _has_normals(case, answer):
        return {}
    angles = _angles(case, answer)
    scores = {
        "normals_angle_mean": angles.mean().item(),
        "normals_angle_median": angles.median().item(),
        "normals_angle_rmse": angles.square().mean().sqrt().item(),
    }
    for limit in _BELOW:
        scores[f"normals_within_{limit:g}"] = metrics.share_below(angles, limit).item()
    return scores


class NormalsPool:
    """Normals' angles pooled over the pixels of all photos, as tables print them (the mean over
    photos is another number). The median over all pixels would need every angle: histogram bins of
    a twentieth of a degree stand in."""

    def __init__(self) -> None:
        self._bins = torch.zeros(_BINS, dtype=torch.float64)
        self._sum = self._sum_of_squares = 0.0

    def add(self, case: Case, answer: Answer, scores: Mapping[str, float]) -> None:
        """Take in the angles of one photo."""
        if _has_normals(case, answer):
            angles = _angles(case, answer)
            self._bins += torch.histc(angles, _BINS, 0, 180)
            self._sum += angles.sum().item()
            self._sum_of_squares += angles.square().sum().item()

    def scores(self) -> Scores:
        """Mean, standard deviation, RMSE, median and percentages within angles."""
        count = self._bins.sum().item()
        if not count:
            return {}
        below = self._bins.cumsum(0) / count
        mean, mean_square = self._sum / count, self._sum_of_squares / count
        middle = int(torch.searchsorted(below, 0.5))
        scores = {
            "normals_pooled_angle_mean": mean,
            "normals_pooled_angle_std": max(mean_square - mean**2, 0.0) ** 0.5,
            "normals_pooled_angle_rmse": mean_square**0.5,
            "normals_pooled_angle_median": (middle + 0.5) / _BINS_PER_DEGREE,
        }
        for limit in _BELOW:
            last = int(limit * _BINS_PER_DEGREE) - 1
            scores[f"normals_pooled_within_{limit:g}"] = 100 * below[last].item()
        return scores


def _has_normals(case: Case, answer: Answer) -> bool:
    return "normals" in answer and "normals" in case.truth


def _angles(case: Case, answer: Answer) -> Tensor:
    """The angles [N] of all masked pixels, in degrees."""
    guess, truth = batch(answer["normals"]), batch(case.truth["normals"])
    return metrics.normals_error(guess, truth, batch(case.mask))
