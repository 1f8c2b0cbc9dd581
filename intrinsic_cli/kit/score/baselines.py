"""Answers that need no method at all. Every table shows them: they are what must be beaten."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from intrinsic_cli.api import Case
from intrinsic_cli.kit.score.protocol import Layers


def constant_shading(case: Case) -> Layers:
    """The laziest answer: every difference is paint."""
    return {"albedo": case.photo, "shading": np.ones_like(case.photo[..., :1])}


def constant_albedo(case: Case) -> Layers:
    """The other laziest answer: every difference is light."""
    return {"albedo": np.ones_like(case.photo), "shading": case.photo.mean(-1, keepdims=True)}


BASELINES: Mapping[str, Callable[[Case], Layers]] = {
    "constant shading": constant_shading,
    "constant albedo": constant_albedo,
}
