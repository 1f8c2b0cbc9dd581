"""Answers that need no method at all. Every table shows them: they are what must be beaten."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.api import Case
from intrinsic_cli.api.layers import SUMMANDS

if TYPE_CHECKING:
    from intrinsic_cli.kit.score.protocol import Layers

    #: Name of the answer → a case's layers.
    Baselines = Mapping[str, Callable[[Case], Layers]]


def constant_shading(case: Case) -> Layers:
    """The laziest answer: every difference is paint."""
    return {"albedo": case.photo, "shading": np.ones_like(case.photo[..., :1])}


def constant_albedo(case: Case) -> Layers:
    """The other laziest answer: every difference is light."""
    return {"albedo": np.ones_like(case.photo), "shading": case.photo.mean(-1, keepdims=True)}


def all_transmission(case: Case) -> Layers:
    """The glass does nothing."""
    nothing = {name: np.zeros_like(case.photo) for name in SUMMANDS if name in case.truth}
    return {**nothing, "transmission": case.photo}


def even_split(case: Case) -> Layers:
    """The same in every layer."""
    names = [name for name in SUMMANDS if name in case.truth]
    return {name: case.photo / np.float32(len(names)) for name in names}


#: For layers whose product is the photo.
BASELINES: Baselines = {"constant shading": constant_shading, "constant albedo": constant_albedo}
#: For layers whose sum is the photo.
SPLITS: Baselines = {"all transmission": all_transmission, "even split": even_split}
