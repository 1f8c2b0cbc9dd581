"""Answers that need no method at all. Every table shows them: they are what must be beaten."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.api import Case
from intrinsic_cli.api.outputs import SUMMANDS

if TYPE_CHECKING:
    from intrinsic_cli.api.protocols import Answer

    #: By the names tables give them.
    Baselines = Mapping[str, Callable[[Case], Answer]]


def constant_shading(case: Case) -> Answer:
    """The laziest answer: every difference is paint."""
    return {"albedo": case.photo, "shading": np.ones_like(case.photo[..., :1])}


def constant_albedo(case: Case) -> Answer:
    """The other laziest answer: every difference is light."""
    return {"albedo": np.ones_like(case.photo), "shading": case.photo.mean(-1, keepdims=True)}


def square_root(case: Case) -> Answer:
    """The shrewdest lazy answer: every difference is equally paint and light. Hard to beat where
    errors are squared."""
    root = np.sqrt(np.maximum(case.photo, 0))
    return {"albedo": root, "shading": root}


def all_transmission(case: Case) -> Answer:
    """The window pane does nothing."""
    nothing = {name: np.zeros_like(case.photo) for name in SUMMANDS if name in case.truth}
    return {**nothing, "transmission": case.photo}


def even_split(case: Case) -> Answer:
    """The same in every layer."""
    names = [name for name in SUMMANDS if name in case.truth]
    part = case.photo / np.float32(len(names))
    return dict.fromkeys(names, part)


#: For layers whose product is the photo.
PRODUCTS: Baselines = {
    "constant shading": constant_shading,
    "constant albedo": constant_albedo,
    "square root": square_root,
}
#: For layers whose sum is the photo.
SUMS: Baselines = {"all transmission": all_transmission, "even split": even_split}
