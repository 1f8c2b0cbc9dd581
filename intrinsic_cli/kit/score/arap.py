"""ARAP (Bonneel et al. 2017), scored in three ways that must not be compared with each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from torch import Tensor
from torch.nn.functional import interpolate

from intrinsic_cli.api import Case, Metric, Protocol
from intrinsic_cli.api.outputs import FACTORS
from intrinsic_cli.kit import metrics
from intrinsic_cli.kit.score.baselines import PRODUCTS
from intrinsic_cli.kit.score.columns import DSSIM, LMSE, MSE, RMSE, SI_MSE, SI_RMSE, SSIM
from intrinsic_cli.kit.score.planes import batch, comparable, factors_in, gray, named, with_mean

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.api.protocols import Answer, Scores

_SIDE = 256
_DARK = 0.004  # below this a pixel's truth is not known well enough
_ENOUGH = 0.1  # the share of pixels that must be known, or the threshold is halved
# A shading at or above this is saturated in an 8-bit picture.
_SATURATED = 0.99


def arap_f(case: Case, answer: Answer) -> Scores:
    """The ARAP protocol of FlowIID (``arap-f``).

    Everything squashed to 256×256. Valid: channel mean of true albedo ≥ .004 and true shading ≥
    .004 (both halved when less than a tenth is valid). LMSE with one scale for stacked channels,
    window 20, step 10; RMSE without and si-RMSE with the best scale (the paper's "RMSE" does not
    say which); SSIM without scale or mask, 7×7 uniform. Shading is compared in gray. ``lmse`` is
    the mean of both factors', our own summary."""
    truth, mask = _squashed_truth(case)
    scores: Scores = {}
    for name in factors_in(answer):
        guess, true = _squash(answer[name], name), truth[name]
        scores |= named(
            name,
            lmse=metrics.lmse(guess, true, mask),
            rmse=metrics.rmse(guess, true, mask),
            si_rmse=metrics.si_rmse(guess, true, mask),
            ssim=metrics.ssim(guess, true),
        )
    return with_mean(scores, "lmse")


def arap_o(case: Case, answer: Answer) -> Scores:
    """The ARAP protocol of the first flow method (``arap-o``): as :func:`arap_f`, but SSIM zeroes
    invalid pixels in both images, which inflates it, and the printed errors are the scale-invariant
    ones."""
    truth, mask = _squashed_truth(case)
    scores: Scores = {}
    for name in factors_in(answer):
        guess, true = _squash(answer[name], name), truth[name]
        scores |= named(
            name,
            si_mse=metrics.si_mse(guess, true, mask),
            si_rmse=metrics.si_rmse(guess, true, mask),
            lmse=metrics.lmse(guess, true, mask),
            ssim=metrics.ssim(guess, true, mask=mask),
        )
    return with_mean(scores, "lmse")


def arap_1k(case: Case, answer: Answer) -> Scores:
    """The protocol of Luo's ``intrinsic-image-eval`` (``arap-1k``): linear, at the scenes' own
    size, true shading unsaturated (every channel below .99: our threshold); masked si-MSE,
    window-mean LMSE and DSSIM."""
    unsaturated = batch(case.truth["shading"]).amax(1, keepdim=True) < _SATURATED
    mask = batch(case.mask) * unsaturated
    scores: Scores = {}
    for name in factors_in(answer):
        truth = batch(case.truth[name])
        guess = comparable(batch(answer[name]), truth)
        scores |= named(
            name,
            mse=metrics.si_mse(guess, truth, mask),
            lmse=metrics.lmse_arap_1k(guess, truth, mask),
            dssim=metrics.dssim_masked(guess.expand_as(truth), truth, mask),
        )
    return with_mean(scores, "lmse")


def _squashed_truth(case: Case) -> tuple[dict[str, Tensor], Tensor]:
    """Both factors at 256×256, and where they are bright enough to count [1,1,256,256]."""
    truth = {name: _squash(case.truth[name], name) for name in FACTORS}
    mask = _brighter_than(_DARK, truth)
    if mask.double().mean() < _ENOUGH:
        mask = _brighter_than(_DARK / 2, truth)
    return truth, mask


def _squash(image: Image, name: str) -> Tensor:
    """→ [1,3,256,256] of the albedo, [1,1,256,256] of the shading."""
    planes = batch(image)
    if name != "albedo":
        planes = gray(planes)
    if planes.shape[-2:] == (_SIDE, _SIDE):
        return planes
    return interpolate(planes, (_SIDE, _SIDE), mode="bilinear", antialias=True)


def _brighter_than(level: float, truth: Mapping[str, Tensor]) -> Tensor:
    return (gray(truth["albedo"]) >= level) & (truth["shading"] >= level)


def _protocol(
    name: str,
    summary: str,
    source: str,
    score: Callable[[Case, Answer], Scores],
    metrics: Mapping[str, Metric],
) -> Protocol:
    return Protocol(name, summary, source, score, metrics, baselines=PRODUCTS, shows=FACTORS)


ARAP_F = _protocol(
    "arap-f",
    "256×256, dark pixels masked",
    "FlowIID's evaluation of ARAP",
    arap_f,
    {"lmse": LMSE, "rmse": RMSE, "si_rmse": SI_RMSE, "ssim": SSIM},
)
ARAP_O = _protocol(
    "arap-o",
    "256×256, dark pixels masked, SSIM of zeroed pixels",
    "the first flow method's",
    arap_o,
    {"si_mse": SI_MSE, "si_rmse": SI_RMSE, "lmse": LMSE, "ssim": SSIM},
)
ARAP_1K = _protocol(
    "arap-1k",
    "own size, unsaturated shading, without seven scenes",
    "Luo's evaluation of ARAP",
    arap_1k,
    {"mse": MSE, "lmse": LMSE, "dssim": DSSIM},
)
