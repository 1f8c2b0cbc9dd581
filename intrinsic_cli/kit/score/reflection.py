"""Photos taken through a window pane: layers that add up to the photo, measured as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from intrinsic_cli.api import Case, Protocol
from intrinsic_cli.api.outputs import SUMMANDS
from intrinsic_cli.kit import metrics
from intrinsic_cli.kit.score.baselines import SUMS
from intrinsic_cli.kit.score.columns import MSE, PSNR, SSIM
from intrinsic_cli.kit.score.planes import batch, comparable

if TYPE_CHECKING:
    from intrinsic_cli.api.protocols import Answer, Scores

_BEST = 100.0  # dB: a perfect layer (flare where there is none) would make every mean infinite


def reflection(case: Case, answer: Answer) -> Scores:
    """MSE, PSNR and SSIM of each layer that has truth, masked, in linear light, without any scale.

    PSNR is at most 100 dB. SSIM has a 7×7 uniform window; what lies outside the mask is zeroed in
    both images. Papers on reflections print PSNR and SSIM of sRGB codes, whose numbers are others.
    """
    mask = batch(case.mask)
    scores: Scores = {}
    for name in SUMMANDS:
        if name in answer and name in case.truth:
            truth = batch(case.truth[name])
            guess = comparable(batch(answer[name]), truth)
            scores[f"{name}_mse"] = metrics.mse(guess, truth, mask).item()
            scores[f"{name}_psnr"] = min(metrics.psnr(guess, truth, mask).item(), _BEST)
            scores[f"{name}_ssim"] = metrics.ssim(guess, truth, mask=mask).item()
    return scores


def _protocol(name: str, summary: str) -> Protocol:
    return Protocol(
        name=name,
        summary=summary,
        source="our own: MSE, PSNR and SSIM in linear light",
        score=reflection,
        metrics={"mse": MSE, "psnr": PSNR, "ssim": SSIM},
        headline="transmission_mse",
        baselines=SUMS,
    )


REFLECTION = _protocol("reflection", "two layers that add up")
REFLECTION3 = _protocol("reflection3", "three layers that add up")
