"""What datasets of faces have in common: the keys of their batches, and photos without truth."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

import numpy as np

from intrinsic_cli.api import DataError, Source

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Row

KEYS = frozenset({"photo", "albedo", "shading", "normals", "light", "mask", "silhouette", "label"})
ROWS: Mapping[str, Row] = {"label": "numbers"}
_PHOTO_SHARE = 0.5  # of the samples where there are photos beside faces with truth


class FaceSource(Source):
    """``label`` is 1 for a face whose layers, normals and light are known, and 0 for a photo
    without truth: there they are 0, and ``mask`` says where the photo is to be rebuilt.
    ``has_truth`` is False where there are only such photos."""

    protocol = "faces"
    offers = KEYS
    rows = ROWS
    has_truth = True

    @abstractmethod
    def first(self, count: int) -> Self:
        """The first ``count`` faces of the training split, and all of the others."""


def require_truth(source: Source, stage: str) -> None:
    """DataError where a stage would have nothing but photos to learn from."""
    if isinstance(source, FaceSource) and not source.has_truth:
        message = f"{source.name} has no truth, from which stage {stage} learns"
        hint = "give faces:PHOTOS,HEADS, or begin with trained weights: --stage real --init WEIGHTS"
        raise DataError(message, hint)


def shows_photo(seed: int, number: int) -> bool:
    """Is the ``number``-th sample of a stream one of the photos, where there are some?"""
    rng = np.random.default_rng((seed, 2, number))
    return bool(rng.random() < _PHOTO_SHARE)
