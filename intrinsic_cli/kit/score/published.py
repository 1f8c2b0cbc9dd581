"""MIT under Barron's evaluation and MPI Sintel under Fan's: the dense protocols most tables are
printed in."""

from __future__ import annotations

import math
from collections.abc import Mapping

from intrinsic_cli.api import Case
from intrinsic_cli.api.outputs import FACTORS
from intrinsic_cli.kit import metrics
from intrinsic_cli.kit.score.protocol import Figures, Layers, batch, comparable, gray, with_mean


def mit_barron(case: Case, layers: Layers) -> Figures:
    """Masked, unclipped si-MSE (``mse``) and both local errors: ``grosse_lmse`` on gray, ``lmse``
    by Barron's tilings per channel. A table shows their geometric means
    (:class:`GeometricMean`)."""
    mask = batch(case.mask)
    figures: Figures = {}
    for name in (name for name in FACTORS if name in layers):
        truth = batch(case.truth[name])
        guess = comparable(batch(layers[name]), truth)
        figures[f"{name}_mse"] = metrics.si_mse(guess, truth, mask).item()
        figures[f"{name}_lmse"] = metrics.lmse_barron(guess, truth, mask).item()
        figures[f"{name}_grosse_lmse"] = metrics.lmse(gray(guess), gray(truth), mask).item()
    return with_mean(figures, "lmse", "grosse_lmse")


def sintel(case: Case, layers: Layers) -> Figures:
    """No mask: clipped si-MSE, its mean over windows (``lmse``) and DSSIM, of albedo, shading and
    both. Papers print them times 100."""
    figures: Figures = {}
    for name in (name for name in FACTORS if name in layers):
        truth = batch(case.truth[name])
        guess = comparable(batch(layers[name]), truth).expand_as(truth)
        figures[f"{name}_si_mse"] = metrics.si_mse(guess, truth, clip=True).item()
        figures[f"{name}_lmse"] = metrics.lmse_sintel(guess, truth).item()
        figures[f"{name}_dssim"] = metrics.dssim_sintel(guess, truth).item()
    return with_mean(figures, "lmse", "si_mse", "dssim")


class GeometricMean:
    """A :class:`~intrinsic_cli.kit.score.protocol.Pool`: ``NAME_geometric`` of every figure, as Fan
    et al. print."""

    def __init__(self) -> None:
        self._logs: dict[str, list[float]] = {}

    def add(self, case: Case, layers: Layers, figures: Mapping[str, float]) -> None:
        """Take in the figures of one photo."""
        for name, value in figures.items():
            self._logs.setdefault(name, []).append(math.log(max(value, 1e-300)))

    def figures(self) -> Figures:
        """exp of the mean log."""
        return {
            f"{name}_geometric": math.exp(sum(logs) / len(logs))
            for name, logs in self._logs.items()
        }
