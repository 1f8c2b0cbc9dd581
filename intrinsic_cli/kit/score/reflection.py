"""Photos behind glass: layers that add up to the photo, measured as they are."""

from __future__ import annotations

from intrinsic_cli.api import Case
from intrinsic_cli.api.outputs import SUMMANDS
from intrinsic_cli.kit import metrics
from intrinsic_cli.kit.score.protocol import Figures, Layers, batch, comparable

_BEST = 100.0  # dB: a perfect layer (flare where there is none) would make every mean infinite


def reflection(case: Case, layers: Layers) -> Figures:
    """MSE, PSNR and SSIM of each layer that has truth, masked, in linear light, without any scale.

    PSNR is at most 100 dB. SSIM has a 7×7 uniform window; what lies outside the mask is zeroed in
    both images. Papers on reflections print PSNR and SSIM of sRGB codes, whose numbers are others.
    """
    mask = batch(case.mask)
    figures: Figures = {}
    for name in (name for name in SUMMANDS if name in layers and name in case.truth):
        truth = batch(case.truth[name])
        guess = comparable(batch(layers[name]), truth)
        figures[f"{name}_mse"] = metrics.mse(guess, truth, mask).item()
        figures[f"{name}_psnr"] = min(metrics.psnr(guess, truth, mask).item(), _BEST)
        figures[f"{name}_ssim"] = metrics.ssim(guess, truth, mask=mask).item()
    return figures
