"""Protocols: which photos, masks, scales and metrics make up a published (or our own) table.

Every number ``iid`` prints names its protocol; numbers of different protocols do not belong in one column. A new
protocol is one function ``(case, layers) → figures`` and one entry of :data:`PROTOCOLS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from intrinsic_cli.api import Case, DataError, UsageError
from intrinsic_cli.api.layers import FACTORS
from intrinsic_cli.kit import metrics

Image = NDArray[Any]
Layers = Mapping[str, Image]
Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Protocol:
    """How one kind of dataset is scored. ``headline`` is the figure cases are ranked by (lower is better)."""

    name: str
    summary: str
    source: str
    figures: Callable[[Case, Layers], Figures]
    headline: str = "lmse"


def score(protocol: str, case: Case, layers: Layers) -> Figures:
    """Figures of one decomposed photo.

    ``layers`` [H,W,C] (or [H,W]) linear, by name, at the photo's size; those without truth are passed over, and so
    is a case without a single masked pixel ({}). UsageError for an unknown protocol, DataError for a wrong size.
    """
    if not np.any(case.mask):
        return {}
    known = {name: _shaped(name, layers[name], case) for name in case.truth if name in layers}
    return find_protocol(protocol).figures(case, known)


def find_protocol(name: str) -> Protocol:
    """The protocol called ``name``. UsageError if there is none."""
    if name not in PROTOCOLS:
        raise UsageError(f"no protocol called {name!r}", f"protocols: {', '.join(sorted(PROTOCOLS))}")
    return PROTOCOLS[name]


def scale_invariant(case: Case, layers: Layers) -> Figures:
    """The development protocol of ``mit``, ``synth`` and ``folder``: no absolute scale counts anywhere.

    - Each truth is scaled so that its 99th percentile over masked pixels and channels (jointly) is 1; so is each
      prediction, lest LMSE take the windows of a dim one for black.
    - ``albedo_si_mse``, ``shading_si_mse``: masked, one scale over pixels and channels, unclipped. Where the true
      shading is gray, a coloured one is averaged over its channels first; where it is coloured, gray is repeated.
    - ``albedo_lmse``, ``shading_lmse``: Grosse's local MSE (window 20, step 10, full windows) of the plain channel
      means; ``lmse`` is half of one plus half of the other.
    - A table shows the arithmetic mean over images (Fan et al. print a geometric mean of their si-MSE).

    Settled by reproducing the known constant baselines of ten MIT lab objects to all printed digits (LMSE, albedo
    and shading si-MSE: constant shading .0556 .1046 .0848; constant albedo .0727 .0854 .0963): photo = ``diffuse``,
    exposed by its own 99th percentile in the mask, unclipped; constant shading means albedo = photo, shading = 1;
    constant albedo means albedo = 1, shading = channel mean of the photo. From the 16-bit photo that methods are
    fed, which clips the brightest hundredth, the same baselines are .0553 .1040 .0848 and .0726 .0854 .0958.
    """
    mask = _batch(case.mask)
    figures: Figures = {}
    for name in (name for name in FACTORS if name in layers):
        truth = _batch(case.truth[name]) * exposure(case.truth[name], case.mask)
        guess = _batch(layers[name]) * exposure(layers[name], case.mask)
        guess = guess if truth.shape[1] == guess.shape[1] or guess.shape[1] == 1 else _gray(guess)
        figures[f"{name}_si_mse"] = metrics.si_mse(guess, truth, mask).item()
        figures[f"{name}_lmse"] = metrics.lmse(_gray(guess), _gray(truth), mask).item()
    return _with_mean(figures, "lmse")


def arap_f(case: Case, layers: Layers) -> Figures:
    """The ARAP protocol of FlowIID (``arap-f``).

    Everything squashed to 256×256. Valid: channel mean of true albedo ≥ .004 and true shading ≥ .004 (both halved
    when less than a tenth is valid). LMSE with one scale for stacked channels, window 20, step 10; RMSE without
    and si-RMSE with the best scale (the paper's "RMSE" does not say which); SSIM without scale or mask, 7×7 uniform.
    Shading is compared in gray. ``lmse`` is our half-and-half summary.
    """
    truth = {name: _squash(case.truth[name], name) for name in FACTORS}
    mask = _valid(truth, 0.004)
    mask = mask if mask.double().mean() >= 0.1 else _valid(truth, 0.002)
    figures: Figures = {}
    for name in (name for name in FACTORS if name in layers):
        guess = _squash(layers[name], name)
        figures[f"{name}_lmse"] = metrics.lmse(guess, truth[name], mask).item()
        figures[f"{name}_rmse"] = metrics.rmse(guess, truth[name], mask).item()
        figures[f"{name}_si_rmse"] = metrics.si_rmse(guess, truth[name], mask).item()
        figures[f"{name}_ssim"] = metrics.ssim(guess, truth[name]).item()
    return _with_mean(figures, "lmse")


def exposure(image: Image, mask: NDArray[np.bool_]) -> float:
    """The factor that brings the 99th percentile of [H,W,C] over masked pixels and channels to 1 (1 for black)."""
    white = float(np.percentile(image[mask] if mask.any() else image, 99))
    return 1 / white if white > 1e-6 else 1.0


def constant_shading(case: Case) -> Layers:
    """The laziest answer: every difference is paint."""
    return {"albedo": case.photo, "shading": np.ones_like(case.photo[..., :1])}


def constant_albedo(case: Case) -> Layers:
    """The other laziest answer: every difference is light."""
    return {"albedo": np.ones_like(case.photo), "shading": case.photo.mean(-1, keepdims=True)}


#: Answers that need no method at all. Every table shows them: they are what must be beaten.
BASELINES: Mapping[str, Callable[[Case], Layers]] = {
    "constant shading": constant_shading,
    "constant albedo": constant_albedo,
}

_OWN = "scale-invariant MSE and LMSE of Grosse et al. 2009 (gray, window 20, step 10), mean over images"

PROTOCOLS: Mapping[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        Protocol("mit", "masked, photo exposed to its 99th percentile as 16-bit sRGB", _OWN, scale_invariant),
        Protocol("arap-f", "256×256, dark pixels masked", "FlowIID's evaluation of ARAP", arap_f),
        Protocol("synth", "masked, held-out rendered views", _OWN, scale_invariant),
        Protocol("folder", "masked, your own photos", _OWN, scale_invariant),
    )
}


def _shaped(name: str, layer: Image, case: Case) -> Image:
    layer = layer[..., None] if layer.ndim == 2 else layer
    if layer.shape[:2] != case.photo.shape[:2]:
        sizes = [f"{shape[1]}×{shape[0]}" for shape in (layer.shape, case.photo.shape)]
        raise DataError(f"the {name} of {case.name} is {sizes[0]} and its photo {sizes[1]}")
    return layer


def _batch(image: Image) -> Tensor:
    """[H,W] or [H,W,C] → [1,C,H,W] float64."""
    planes = image[..., None] if image.ndim == 2 else image
    return torch.from_numpy(np.ascontiguousarray(planes.transpose(2, 0, 1), np.float64))[None]


def _gray(x: Tensor) -> Tensor:
    return x.mean(1, keepdim=True)


def _squash(image: Image, name: str) -> Tensor:
    x = _batch(image) if name == "albedo" else _gray(_batch(image))
    return x if x.shape[-2:] == (256, 256) else interpolate(x, (256, 256), mode="bilinear", antialias=True)


def _valid(truth: Mapping[str, Tensor], floor: float) -> Tensor:
    return (_gray(truth["albedo"]) >= floor) & (truth["shading"] >= floor)


def _with_mean(figures: Figures, metric: str) -> Figures:
    """Put the mean of both factors' ``metric`` in front, where both were given."""
    halves = [figures[f"{name}_{metric}"] for name in FACTORS if f"{name}_{metric}" in figures]
    return {metric: sum(halves) / 2, **figures} if len(halves) == 2 else figures
