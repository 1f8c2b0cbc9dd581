"""Protocols: which masks, scales and metrics turn decomposed photos into the numbers of a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from typing import Protocol as Interface

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Case

#: Outputs by name: layers [H,W,C] linear at the photo's size, meshes, records.
Answer = Mapping[str, Any]
#: Numbers by name.
Scores = dict[str, float]


@dataclass(frozen=True, slots=True)
class Metric:
    """Which way a score is better, the unit that is printed behind its name (``°``, ``%``), and in
    a few words what it is ``about``, which stands under the table."""

    better: Literal["lower", "higher", "neither"] = "lower"
    unit: str = ""
    about: str = ""


class Pool(Interface):
    """Scores that belong to a whole dataset and are no mean over its photos: percentages over all
    pixels, correct keypoints over all pairs. One is made for every row of a table."""

    def add(self, case: Case, answer: Answer, scores: Mapping[str, float]) -> None:
        """Take in one scored photo: what was answered and the scores it got."""
        ...

    def scores(self) -> Scores:
        """What all photos together score; beside (or instead of) the means of equal names."""
        ...


@dataclass(frozen=True, slots=True)
class Protocol:
    """How one kind of dataset is scored.

    ``score`` turns one case and its answer into numbers; {} = nothing to score. ``metrics`` says of
    each score which way it is better and its unit; a key stands for every score of that name or
    that ends in ``_key`` (``lmse`` for ``albedo_lmse``), the longest first. Cases are ranked by
    ``headline``. ``reads`` are outputs it looks at although the dataset has no truth of them.
    ``pool``, where there is one, makes the scores only a whole dataset has, and ``pictures`` draws
    what a pool has seen: sRGB codes [H,W,3] by name. ``baselines`` are the answers every table of
    it shows. ``shows`` are the outputs that pictures of cases show (none named: those with truth).
    """

    name: str
    summary: str
    source: str
    score: Callable[[Case, Answer], Scores]
    metrics: Mapping[str, Metric]
    headline: str = "lmse"
    reads: tuple[str, ...] = ()
    pool: Callable[[], Pool] | None = None
    pictures: Callable[[Any], Mapping[str, Any]] | None = None
    baselines: Mapping[str, Callable[[Case], Answer]] = field(default_factory=dict)
    shows: tuple[str, ...] = ()

    def metric(self, score: str) -> Metric:
        """What ``metrics`` says of a score; ``Metric("neither")`` where it says nothing."""
        fitting = [key for key in self.metrics if score == key or score.endswith(f"_{key}")]
        return self.metrics[max(fitting, key=len)] if fitting else Metric("neither")
