"""Keypoint transfer: does a method know which spots of two photos are the same?

A keypoint of one photo is carried over to another through what the method answered for both, and
compared with the keypoint marked there. The share that lands close enough (PCK) is taken over pairs
of photos, so it is a matter of the whole dataset.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np
import torch
from torch import Tensor

from intrinsic_cli.kit import metrics

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.api.protocols import Scores

#: What is kept of an answer to carry points from or to its photo.
P = TypeVar("P")
#: ``(points [K,2] of the first photo, its P, the second photo's P)`` → points [K,2] of the second.
Transfer = Callable[[Tensor, P, P], Tensor]

#: Score → the error, as a share of the box's side, below which a keypoint counts as correct.
_THRESHOLDS = {"pck": 0.1, "pck_15": 0.15}


class Transfers(Generic[P]):
    """Keypoints carried over ``pairs`` random pairs of photos (all pairs, if there are no more),
    each in both directions. All points are [K,2] float64."""

    def __init__(self, transfer: Transfer[P], pairs: int = 10_000, seed: int = 0) -> None:
        self._transfer, self._pairs, self._seed = transfer, pairs, seed
        self._keypoints: list[Tensor] = []
        self._placed: list[P] = []

    def __len__(self) -> int:
        return len(self._placed)

    def add(self, keypoints: Tensor, placed: P) -> None:
        """Take in one photo: its keypoints [K,3], x and y in −1..1 and 1 where visible, and what
        carries them."""
        self._keypoints.append(keypoints.double())
        self._placed.append(placed)

    def scores(self) -> Scores:
        """``pck`` (error below .1) and ``pck_15``: per keypoint the share of pairs in which both
        see it, then the mean over keypoints. {} where no keypoint is seen in two photos."""
        found, wanted, visible = [], [], []
        for first, second in self._both_ways():
            found.append(self.carried(first, second))
            wanted.append(self._keypoints[second][:, :2])
            visible.append(self._both_show(first, second))
        if not any(seen.any() for seen in visible):
            return {}
        places, truth, seen = torch.stack(found), torch.stack(wanted), torch.stack(visible)
        scores: Scores = {}
        for name, limit in _THRESHOLDS.items():
            scores[name] = metrics.pck(places, truth, seen, limit).item()
        return scores

    def carried(self, first: int, second: int) -> Tensor:
        """The keypoints of one photo, where they should be in the other [K,2]."""
        points = self._keypoints[first][:, :2]
        return self._transfer(points, self._placed[first], self._placed[second])

    def _both_show(self, first: int, second: int) -> Tensor:
        return (self._keypoints[first][:, 2] > 0) & (self._keypoints[second][:, 2] > 0)

    def _both_ways(self) -> Iterator[tuple[int, int]]:
        for first, second in random_pairs(len(self._placed), self._pairs, self._seed):
            yield first, second
            yield second, first


def random_pairs(count: int, pairs: int, seed: int) -> list[tuple[int, int]]:
    """``pairs`` pairs of different numbers below ``count``, the same for the same seed; all there
    are, if there are no more than that."""
    possible = count * (count - 1) // 2
    if possible <= pairs:
        return list(combinations(range(count), 2))
    rng = np.random.default_rng(seed)
    first = rng.integers(0, count, pairs)
    second = (first + rng.integers(1, count, pairs)) % count
    return list(zip(first.tolist(), second.tolist(), strict=True))


def covered_pixels(silhouette: Image) -> Tensor:
    """[H,W] or [H,W,C] → the middles [N,2] of its pixels above 0, x and y in −1..1."""
    height, width = silhouette.shape[:2]
    covered = silhouette.reshape(height, width, -1).max(2) > 0
    rows, columns = np.nonzero(covered)
    x = (columns + 0.5) / width
    y = (rows + 0.5) / height
    return torch.from_numpy(np.stack([x, y], axis=1) * 2 - 1)
