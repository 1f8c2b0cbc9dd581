"""How a row sums up its cases, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    #: The scores of a case, beside its name and that of the method.
    ScoredCase = Mapping[str, Any]

#: Keys of a scored case that are no scores, and the one that tells of the machine and not of the
#: method.
NAMES = ("method", "case")
SECONDS = "seconds"

LEVEL = 0.95
RESAMPLES = 2000
_AT_ONCE = 200  # resamples; bounds memory on datasets of many thousand images


def score_names(cases: Iterable[ScoredCase], besides: Sequence[str] = NAMES) -> list[str]:
    """The names of all scores, in order, the seconds last; ``besides`` are keys that are none."""
    found = dict.fromkeys(key for case in cases for key in case if key not in besides)
    return sorted(found, key=lambda name: name == SECONDS)


def means(cases: Sequence[ScoredCase]) -> dict[str, float]:
    """The mean of every score over the cases that have it."""
    found = {}
    for name in score_names(cases):
        values = [case[name] for case in cases if name in case]
        found[name] = sum(values) / len(values)
    return found


def intervals(cases: Sequence[ScoredCase], seed: int = 0) -> dict[str, tuple[float, float]]:
    """Where the mean of every score lies in 95 % of all samples of as many images, drawn from
    these with replacement (percentile bootstrap, Efron 1979). One image alone tells nothing of
    this: {}."""
    names = [name for name in score_names(cases) if name != SECONDS]
    if len(cases) < 2 or not names:
        return {}
    import numpy as np

    scores = [[case.get(name, np.nan) for name in names] for case in cases]
    drawn = _resample(np.array(scores, np.float64), np.random.default_rng(seed))
    percent = [50 * (1 - LEVEL), 50 * (1 + LEVEL)]
    low, high = np.nanpercentile(drawn, percent, axis=0)
    found = {}
    for column, name in enumerate(names):
        found[name] = (float(low[column]), float(high[column]))
    return found


def _resample(table: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """[images, scores] with NaN where a score is missing → means [resamples, scores]."""
    import numpy as np

    known = np.isfinite(table)
    values = np.where(known, table, 0.0)
    equal = np.full(len(table), 1 / len(table))
    drawn = []
    for _ in range(RESAMPLES // _AT_ONCE):
        times = rng.multinomial(len(table), equal, size=_AT_ONCE)
        weight = times @ known
        mean = np.full(weight.shape, np.nan)
        np.divide(times @ values, weight, out=mean, where=weight > 0)
        drawn.append(mean)
    return np.concatenate(drawn)
