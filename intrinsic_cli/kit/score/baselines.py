"""Answers that need no method at all. Every table shows them: they are what must be beaten."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.api import Case
from intrinsic_cli.api.outputs import SUMMANDS

#: A case's layers [H,W,C] by name.
Answer = Mapping[str, NDArray[Any]]
#: By the names tables give them.
Baselines = Mapping[str, Callable[[Case], Answer]]


def constant_shading(case: Case) -> Answer:
    """The laziest answer: every difference is paint."""
    return {"albedo": case.photo, "shading": np.ones_like(case.photo[..., :1])}


def constant_albedo(case: Case) -> Answer:
    """The other laziest answer: every difference is light."""
    return {"albedo": np.ones_like(case.photo), "shading": case.photo.mean(-1, keepdims=True)}


def square_root(case: Case) -> Answer:
    """The shrewdest lazy answer: every difference is half paint, half light. Hard to beat where
    errors are squared."""
    half = np.sqrt(np.maximum(case.photo, 0))
    return {"albedo": half, "shading": half}


def all_transmission(case: Case) -> Answer:
    """The glass does nothing."""
    nothing = {name: np.zeros_like(case.photo) for name in SUMMANDS if name in case.truth}
    return {**nothing, "transmission": case.photo}


def even_split(case: Case) -> Answer:
    """The same in every layer."""
    names = [name for name in SUMMANDS if name in case.truth]
    return {name: case.photo / np.float32(len(names)) for name in names}


#: For layers whose product is the photo.
BASELINES: Baselines = {
    "constant shading": constant_shading,
    "constant albedo": constant_albedo,
    "square root": square_root,
}
#: For layers whose sum is the photo.
SPLITS: Baselines = {"all transmission": all_transmission, "even split": even_split}
