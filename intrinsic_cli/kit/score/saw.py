"""SAW (Kovacs et al. 2017): annotations of smooth shading, and a score of flow that borrowed the
name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from intrinsic_cli.api import Case, Metric, Protocol
from intrinsic_cli.api.outputs import FACTORS
from intrinsic_cli.kit.light.colour import linear_to_srgb
from intrinsic_cli.kit.light.resize import resize
from intrinsic_cli.kit.metrics import smoothness
from intrinsic_cli.kit.score.baselines import PRODUCTS
from intrinsic_cli.kit.score.planes import batch, gray

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.api.protocols import Answer, Scores

#: Score → the recall at which precision is taken.
_PRECISIONS = {
    "precision_at_recall_30": 0.3,
    "precision_at_recall_50": 0.5,
    "precision_at_recall_70": 0.7,
}


def saw(case: Case, answer: Answer, variant: smoothness.Variant = "saw-c") -> Scores:
    """``photo_error`` = 1 − the photo's own average precision, to rank photos by; what SAW prints
    is a matter of all photos together (:class:`SawPool`)."""
    if "shading" not in answer:
        return {}
    precision, recall = smoothness.curve(saw_counts(case, answer, variant))
    return {"photo_error": 1 - smoothness.average_precision(precision, recall).item()}


def saw_counts(case: Case, answer: Answer, variant: smoothness.Variant = "saw-c") -> Tensor:
    """Counts [T,3,2] of the shading, resized to the size of ``case.facts["labels"]`` [H,W]; the
    photo's gradients weigh smooth pixels in ``saw-c``."""
    labels = case.facts["labels"]
    shading = _resized(answer["shading"], labels.shape)
    weights = None
    if variant == "saw-c":
        codes = linear_to_srgb(_resized(case.photo, labels.shape).clamp(0, 1))
        photo = np.asarray(codes.permute(1, 2, 0), np.float32)
        weights = torch.from_numpy(smoothness.smooth_weights(labels, photo))
    return smoothness.counts(shading, torch.from_numpy(labels), variant, weights)


def saw_o(case: Case, answer: Answer) -> Scores:
    """``ap`` (and 1 − it) of ``saw-o``, which is not SAW: classes come from the true gray shading's
    own percentiles."""
    if "shading" not in answer:
        return {}
    guess = gray(batch(answer["shading"]))[0, 0]
    truth = gray(batch(case.truth["shading"]))[0, 0]
    counts = smoothness.counts_saw_o(guess, truth)
    precision, recall = smoothness.curve(counts, balanced=False, undefined=0.0)
    area = smoothness.average_precision(precision, recall).item()
    return {"photo_error": 1 - area, "ap": area}


class SawPool:
    """Counts of all photos, and what they come to: ``ap``, and the precision at recalls 30, 50 and
    70 %."""

    def __init__(self, variant: smoothness.Variant = "saw-c") -> None:
        self._variant = variant
        self._counts: Tensor | None = None

    def add(self, case: Case, answer: Answer, scores: Mapping[str, float]) -> None:
        """Count one photo."""
        if "shading" in answer:
            counts = saw_counts(case, answer, self._variant)
            self._counts = counts if self._counts is None else self._counts + counts

    def scores(self) -> Scores:
        """Nothing where nothing was counted; ``saw-2017`` is a curve and has no AP."""
        if self._counts is None:
            return {}
        precision, recall = smoothness.curve(self._counts)
        scores: Scores = {}
        if self._variant != "saw-2017":
            scores["ap"] = smoothness.average_precision(precision, recall).item()
        for name, at in _PRECISIONS.items():
            scores[name] = smoothness.precision_at(precision, recall, at).item()
        return scores


def _resized(image: Image, size: tuple[int, ...]) -> Tensor:
    """[H,W,C] → [C,h,w] float64, bilinear."""
    return resize(batch(image), (size[0], size[1]))[0]


_METRICS: Mapping[str, Metric] = {
    "photo_error": Metric("lower", about="1 − average precision of the photo alone"),
    "ap": Metric("higher", about="average precision of smooth shading, over all photos"),
    **dict.fromkeys(_PRECISIONS, Metric("higher", about="precision at that recall of it")),
}


def _protocol(variant: smoothness.Variant, summary: str) -> Protocol:
    return Protocol(
        name=variant,
        summary=summary,
        source="Kovacs et al. 2017",
        score=partial(saw, variant=variant),
        metrics=_METRICS,
        headline="photo_error",
        reads=("shading",),
        pool=partial(SawPool, variant),
        baselines=PRODUCTS,
        shows=FACTORS,
    )


SAW_C = _protocol("saw-c", "the challenge: log shading, hard regions weigh more")
SAW_U = _protocol("saw-u", "as saw-c, every smooth pixel weighs the same")
SAW_2017 = _protocol("saw-2017", "the paper's curve: shading itself, gradients max-filtered")
SAW_O = Protocol(
    name="saw-o",
    summary="not SAW: classes from the true shading",
    source="the first flow method's",
    score=saw_o,
    metrics=_METRICS,
    headline="photo_error",
    baselines=PRODUCTS,
    shows=FACTORS,
)
