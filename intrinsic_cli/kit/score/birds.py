"""Birds: silhouettes in the crop, and keypoints found again in other birds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from intrinsic_cli.api import Case, Metric, Protocol
from intrinsic_cli.kit import metrics
from intrinsic_cli.kit.score.keypoints import template_pool
from intrinsic_cli.kit.score.planes import batch, gray

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.api.protocols import Answer, Scores


def birds(case: Case, answer: Answer) -> Scores:
    """Intersection over union of the silhouette, hard and soft, and 1 − hard as ``mask_error``."""
    guess, truth = silhouette(answer), silhouette(case.truth)
    if guess is None or truth is None:
        return {}
    planes = gray(batch(guess)), gray(batch(truth))
    hard = metrics.iou(*planes).item()
    soft = metrics.iou(*planes, soft=True).item()
    return {"mask_error": 1 - hard, "iou": hard, "soft_iou": soft}


def silhouette(outputs: Mapping[str, Image]) -> Image | None:
    """The layer ``silhouette``, which methods may also call ``mask``."""
    return outputs.get("silhouette", outputs.get("mask"))


BIRDS = Protocol(
    name="birds",
    summary="silhouettes in the crop",
    source="UMR: mask IoU",
    score=birds,
    metrics={
        "mask_error": Metric("lower"),
        "iou": Metric("higher"),
        "pck": Metric("higher"),
        "pck_15": Metric("higher"),
    },
    headline="mask_error",
    reads=("silhouette", "mask", "projection"),
    pool=template_pool,
    shows=("silhouette", "mask"),
)
