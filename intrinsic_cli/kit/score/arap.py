"""ARAP (Bonneel et al. 2017), scored in three ways that must not be compared with each other."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor
from torch.nn.functional import interpolate

from intrinsic_cli.api import Case
from intrinsic_cli.api.outputs import FACTORS
from intrinsic_cli.kit import metrics
from intrinsic_cli.kit.score.protocol import (
    Figures,
    Image,
    Layers,
    batch,
    comparable,
    gray,
    with_mean,
)

# A shading at or above this is saturated in an 8-bit picture.
_SATURATED = 0.99


def arap_f(case: Case, layers: Layers) -> Figures:
    """The ARAP protocol of FlowIID (``arap-f``).

    Everything squashed to 256×256. Valid: channel mean of true albedo ≥ .004 and true shading ≥
    .004 (both halved when less than a tenth is valid). LMSE with one scale for stacked channels,
    window 20, step 10; RMSE without and si-RMSE with the best scale (the paper's "RMSE" does not
    say which); SSIM without scale or mask, 7×7 uniform. Shading is compared in gray. ``lmse`` is
    our half-and-half summary."""
    truth, mask = _truth(case)
    figures: Figures = {}
    for name in (name for name in FACTORS if name in layers):
        guess = _squash(layers[name], name)
        figures[f"{name}_lmse"] = metrics.lmse(guess, truth[name], mask).item()
        figures[f"{name}_rmse"] = metrics.rmse(guess, truth[name], mask).item()
        figures[f"{name}_si_rmse"] = metrics.si_rmse(guess, truth[name], mask).item()
        figures[f"{name}_ssim"] = metrics.ssim(guess, truth[name]).item()
    return with_mean(figures, "lmse")


def arap_o(case: Case, layers: Layers) -> Figures:
    """The ARAP protocol of the first flow method (``arap-o``): as :func:`arap_f`, but SSIM zeroes
    invalid pixels in both images, which inflates it, and the printed errors are the scale-invariant
    ones."""
    truth, mask = _truth(case)
    figures: Figures = {}
    for name in (name for name in FACTORS if name in layers):
        guess = _squash(layers[name], name)
        figures[f"{name}_si_mse"] = metrics.si_mse(guess, truth[name], mask).item()
        figures[f"{name}_si_rmse"] = metrics.si_rmse(guess, truth[name], mask).item()
        figures[f"{name}_lmse"] = metrics.lmse(guess, truth[name], mask).item()
        figures[f"{name}_ssim"] = metrics.ssim(guess, truth[name], mask=mask).item()
    return with_mean(figures, "lmse")


def arap_1k(case: Case, layers: Layers) -> Figures:
    """The protocol of Luo's ``intrinsic-image-eval`` (``arap-1k``): linear, at the scenes' own
    size, true shading unsaturated (every channel below .99: our threshold); masked si-MSE,
    window-mean LMSE and DSSIM."""
    mask = batch(case.mask) * (batch(case.truth["shading"]).amax(1, keepdim=True) < _SATURATED)
    figures: Figures = {}
    for name in (name for name in FACTORS if name in layers):
        truth = batch(case.truth[name])
        guess = comparable(batch(layers[name]), truth)
        figures[f"{name}_mse"] = metrics.si_mse(guess, truth, mask).item()
        figures[f"{name}_lmse"] = metrics.lmse_arap_1k(guess, truth, mask).item()
        figures[f"{name}_dssim"] = metrics.dssim_masked(guess.expand_as(truth), truth, mask).item()
    return with_mean(figures, "lmse")


def _truth(case: Case) -> tuple[dict[str, Tensor], Tensor]:
    """Both layers squashed, and where they are bright enough to count."""
    truth = {name: _squash(case.truth[name], name) for name in FACTORS}
    mask = _valid(truth, 0.004)
    return truth, mask if mask.double().mean() >= 0.1 else _valid(truth, 0.002)


def _squash(image: Image, name: str) -> Tensor:
    x = batch(image) if name == "albedo" else gray(batch(image))
    return (
        x
        if x.shape[-2:] == (256, 256)
        else interpolate(x, (256, 256), mode="bilinear", antialias=True)
    )


def _valid(truth: Mapping[str, Tensor], floor: float) -> Tensor:
    return (gray(truth["albedo"]) >= floor) & (truth["shading"] >= floor)
