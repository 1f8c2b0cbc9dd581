"""The house's own protocol: nothing but scale-invariant errors, so that every dataset and every
tool can be scored."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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


def scale_invariant(case: Case, layers: Layers) -> Figures:
    """The development protocol of ``mit``, ``synth`` and ``folder``: no absolute scale counts
    anywhere.

    - Each truth is scaled so that its 99th percentile over masked pixels and channels (jointly) is
      1; so is each prediction, lest LMSE take the windows of a dim one for black.
    - ``albedo_si_mse``, ``shading_si_mse``: masked, one scale over pixels and channels, unclipped.
      Where the true shading is gray, a coloured one is averaged over its channels first; where it
      is coloured, gray is repeated.
    - ``albedo_lmse``, ``shading_lmse``: Grosse's local MSE (window 20, step 10, full windows) of
      the plain channel means; ``lmse`` is half of one plus half of the other.
    - A table shows the arithmetic mean over images (Fan et al. print a geometric mean of their
      si-MSE).

    Settled by reproducing the known constant baselines of ten MIT lab objects to all printed digits
    (LMSE, albedo and shading si-MSE: constant shading .0556 .1046 .0848; constant albedo .0727
    .0854 .0963): photo = ``diffuse``, exposed by its own 99th percentile in the mask, unclipped;
    constant shading means albedo = photo, shading = 1; constant albedo means albedo = 1, shading =
    channel mean of the photo. From the 16-bit photo that methods are fed, which clips the brightest
    hundredth, the same baselines are .0553 .1040 .0848 and .0726 .0854 .0958."""
    mask = batch(case.mask)
    figures: Figures = {}
    for name in (name for name in FACTORS if name in layers):
        truth = batch(case.truth[name]) * exposure(case.truth[name], case.mask)
        guess = batch(layers[name]) * exposure(layers[name], case.mask)
        guess = comparable(guess, truth)
        figures[f"{name}_si_mse"] = metrics.si_mse(guess, truth, mask).item()
        figures[f"{name}_lmse"] = metrics.lmse(gray(guess), gray(truth), mask).item()
    return with_mean(figures, "lmse")


def exposure(image: Image, mask: NDArray[np.bool_]) -> float:
    """The factor that brings the 99th percentile of [H,W,C] over masked pixels and channels to 1 (1
    for black)."""
    white = float(np.percentile(image[mask] if mask.any() else image, 99))
    return 1 / white if white > 1e-6 else 1.0
