"""How much of a photo's highlights a method takes out of the paint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from intrinsic_cli.api import Case
    from intrinsic_cli.api.protocols import Answer, Scores

_SEEN = 0.02  # linear: a highlight that adds less is none


def highlight_scores(case: Case, answer: Answer) -> Scores:
    """Where the true highlights are known (``residual``): ``highlights_left``, the share of their
    light that is missing from the answered residual, 1 for a method that knows none; and
    ``highlights_added``, residual where there is no highlight, as a share of the photo's light
    there. {} for a photo without highlights."""
    if "residual" not in case.truth:
        return {}
    truth = case.truth["residual"]
    found = answer.get("residual", np.zeros_like(truth))
    shines = (truth.max(-1) > _SEEN) & case.mask
    if not shines.any():
        return {}
    missed = np.maximum(truth - found, 0)
    scores = {"highlights_left": float(missed[shines].sum() / truth[shines].sum())}
    dull = case.mask & ~shines
    light = float(case.photo[dull].sum())
    if light > 0:
        scores["highlights_added"] = float(np.abs(found)[dull].sum()) / light
    return scores
