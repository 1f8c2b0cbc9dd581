"""What the numbers of a table mean: which way is better, how a row sums up its cases, how sure that
is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Case = Mapping[str, Any]

#: Keys of a scored case that are no figures, and the one that tells of the machine and not of the
#: method.
NAMES = ("method", "case")
SECONDS = "seconds"

LEVEL = 0.95
RESAMPLES = 2000
_AT_ONCE = 200  # resamples; bounds memory on datasets of many thousand images

_LOWER = frozenset(
    [
        "mse",
        "rmse",
        "lmse",
        "dssim",
        "whdr",
        "error",
        "angle",
        "chamfer",
        "constancy",
        "mae",
        "l1",
        "rms",
        "reconstruction",
        SECONDS,
    ]
)
_HIGHER = frozenset(
    ["ssim", "psnr", "iou", "pck", "ap", "precision", "recall", "accuracy", "within"]
)
_UNITS = {"within": "%", "angle": "°", "psnr": "dB"}


def better(figure: str) -> int:
    """-1 where lower is better, 1 where higher is, 0 where the name does not say."""
    words = set(figure.lower().split("_"))
    if words & _HIGHER:
        return 1
    return -1 if words & _LOWER else 0


def unit(figure: str) -> str:
    """``°``, ``%`` or ``dB``; "" for a number without one."""
    words = set(figure.lower().split("_"))
    return next((sign for word, sign in _UNITS.items() if word in words), "")


def figures_of(cases: Iterable[Case]) -> list[str]:
    """The names of all figures, in order, the seconds last."""
    found = dict.fromkeys(key for case in cases for key in case if key not in NAMES)
    return sorted(found, key=lambda name: name == SECONDS)


def means(cases: Sequence[Case]) -> dict[str, float]:
    """The mean of every figure over the cases that have it."""
    found = {name: [case[name] for case in cases if name in case] for name in figures_of(cases)}
    return {name: sum(values) / len(values) for name, values in found.items()}


def intervals(cases: Sequence[Case], seed: int = 0) -> dict[str, tuple[float, float]]:
    """Where the mean of every figure lies in 95 % of all samples of as many images, drawn from
    these with replacement (percentile bootstrap, Efron 1979). One image alone tells nothing of
    this: {}."""
    names = [name for name in figures_of(cases) if name != SECONDS]
    if len(cases) < 2 or not names:
        return {}
    import numpy as np

    table = np.array([[case.get(name, np.nan) for name in names] for case in cases], np.float64)
    drawn = _resample(table, np.random.default_rng(seed))
    low, high = np.nanpercentile(drawn, [50 * (1 - LEVEL), 50 * (1 + LEVEL)], axis=0)
    return {name: (float(low[i]), float(high[i])) for i, name in enumerate(names)}


def _resample(table: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """[images, figures] with NaN where a figure is missing → means [resamples, figures]."""
    import numpy as np

    known = np.isfinite(table)
    values = np.where(known, table, 0.0)
    drawn = []
    for _ in range(RESAMPLES // _AT_ONCE):
        counts = rng.multinomial(len(table), np.full(len(table), 1 / len(table)), size=_AT_ONCE)
        weight = counts @ known
        drawn.append(
            np.divide(counts @ values, weight, out=np.full(weight.shape, np.nan), where=weight > 0)
        )
    return np.concatenate(drawn)
