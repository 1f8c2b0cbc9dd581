"""One photo, changed in ways that leave its paint as it is: does its albedo stay?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from intrinsic_cli.api import Case, Metric, Protocol
from intrinsic_cli.api.outputs import FACTORS
from intrinsic_cli.kit.light.changes import CHANGES, UNCHANGED, Change
from intrinsic_cli.kit.score.baselines import PRODUCTS
from intrinsic_cli.kit.score.columns import RECONSTRUCTION_MSE
from intrinsic_cli.kit.score.constancy import reconstruction

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intrinsic_cli.api.protocols import Answer, Scores

    Pixels = NDArray[np.float64]

_DARK = 1e-3  # an albedo below this part of its brightest channel tells no colour
_NOTHING = 1e-12


class Seen(NamedTuple):
    """The albedo [H,W,C] of the photo as it is, and where it may be looked at [H,W]."""

    scene: str
    albedo: NDArray[np.float32]
    known: NDArray[np.bool_]


class SteadinessPool:
    """The albedo of each changed photo against the same part of that of the photo as it is, at the
    pixels both know. Means over the changes of a kind (``case.facts["change"]``) of all photos:

    - ``KIND_change``: Σ |a·changed − unchanged| / Σ unchanged, in percent, with the scale a of the
      least squared error: 0 where nothing but the scale has changed.
    - ``KIND_scale``: |log2 a|, in stops.
    - ``cast_left``: how much of a coloured light is found again in the albedo, in percent: log red,
      green and blue of changed / unchanged without their mean (the median over pixels), projected
      on the same of the light. 0: none of it, 100: all.

    Cases come photo by photo, each as it is first, so that only one albedo is held in memory."""

    def __init__(self) -> None:
        self._seen: Seen | None = None
        self._found: dict[str, list[float]] = {}

    def add(self, case: Case, answer: Answer, scores: Mapping[str, float]) -> None:
        """Take in one photo, changed or not. Without the albedo of the photo as it is, those of its
        changes tell nothing."""
        if "albedo" not in answer:
            return
        change: Change = case.facts.get("change", UNCHANGED)
        scene: str = case.facts["scene"]
        if self._seen is None or self._seen.scene != scene:
            is_reference = change.kind == UNCHANGED.kind
            self._seen = Seen(scene, answer["albedo"], case.mask) if is_reference else None
        else:
            self._compare(self._seen, change, answer["albedo"], case.mask)

    def scores(self) -> Scores:
        """Change and scale of every kind in a fixed order, then what is left of the cast."""
        kinds = dict.fromkeys(change.kind for change in CHANGES)
        names = [f"{kind}_{score}" for score in ("change", "scale") for kind in kinds]
        means: Scores = {}
        for name in (*names, "cast_left"):
            if name in self._found:
                values = self._found[name]
                means[name] = sum(values) / len(values)
        return means

    def _compare(
        self,
        seen: Seen,
        change: Change,
        albedo: NDArray[np.float32],
        known: NDArray[np.bool_],
    ) -> None:
        both = change.cut(seen.known) & change.moved_back(known)
        before = change.cut(seen.albedo)[both].astype(np.float64)
        after = change.moved_back(albedo)[both].astype(np.float64)
        energy, common = np.vdot(after, after), np.vdot(before, after)
        if min(energy, common) < _NOTHING:
            return  # black tells nothing
        scale = float(common / energy)
        difference = np.abs(scale * after - before).sum()
        self._add(f"{change.kind}_change", 100 * float(difference / before.sum()))
        self._add(f"{change.kind}_scale", abs(float(np.log2(scale))))
        left = cast_left(before, after, change.gains)
        if left is not None:
            self._add("cast_left", left)

    def _add(self, name: str, value: float) -> None:
        self._found.setdefault(name, []).append(value)


def cast_left(before: Pixels, after: Pixels, gains: tuple[float, float, float]) -> float | None:
    """How much of the light's colour ``gains`` is found in albedos [N,C], in percent; None where
    the light is gray or no pixel has a colour."""
    cast = _chroma(np.array(gains))
    strength = float(cast @ cast)
    if strength < _NOTHING:
        return None
    darkest = np.minimum(before.min(axis=1), after.min(axis=1))
    told = darkest > _DARK * before.max()
    if not told.any():
        return None
    ratios = after[told] / before[told]
    turned = np.median(_chroma(ratios), axis=0)
    if turned.size == 1:
        return 0.0  # a gray albedo takes no colour on
    return 100 * float(turned @ cast) / strength


def _chroma(colours: Pixels) -> Pixels:
    """Logarithms [..., C] without their mean."""
    logs = np.log(colours)
    return np.asarray(logs - logs.mean(axis=-1, keepdims=True))


STEADY = Protocol(
    name="steady",
    summary="one photo cut, turned, shifted, mirrored, exposed and tinted; no truth",
    source="our own: relative change of the albedo and share of a cast left (%), scale (stops)",
    score=reconstruction,
    metrics={
        "reconstruction_mse": RECONSTRUCTION_MSE,
        "change": Metric("lower", "%", "change of the albedo, at the best scale"),
        "scale": Metric("lower", about="change of the whole albedo's scale, in stops"),
        "cast_left": Metric("lower", "%", "part of a cast over the photo that the albedo has"),
    },
    headline="reconstruction_mse",
    reads=FACTORS,
    pool=SteadinessPool,
    baselines=PRODUCTS,
    shows=FACTORS,
)
