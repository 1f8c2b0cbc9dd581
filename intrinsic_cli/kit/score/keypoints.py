"""Keypoint transfer: does a method know which spots of two photos are the same?

A keypoint of one photo is carried over to another through what the method answered for both, and
compared with the keypoint marked there. The share that lands close enough (PCK) is taken over pairs
of photos, so it is a matter of the whole dataset.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np
import torch
from torch import Tensor

from intrinsic_cli.api import Case
from intrinsic_cli.kit import metrics

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.api.protocols import Answer, Scores

#: What is kept of an answer to carry points from or to its photo.
P = TypeVar("P")
#: ``(points [K,2] of the first photo, its P, the second photo's P)`` → points [K,2] of the second.
Transfer = Callable[[Tensor, P, P], Tensor]

#: Score → the error, as a share of the box's side, below which a keypoint counts as correct.
_THRESHOLDS = {"pck": 0.1, "pck_15": 0.15}
# Width of the heat map around a keypoint: 3 of 256 pixels, where the photo is 2 wide.
_SIGMA = 3 * 2 / 256


class TransferPool(Generic[P]):
    """A :class:`~intrinsic_cli.api.protocols.Pool`: PCK over ``pairs`` random pairs of photos (all
    pairs, if there are no more), each in both directions.

    ``place`` says what to keep of a case and its answer, or None if nothing can be carried with it.
    Keypoints are ``case.facts["keypoints"]`` [K,3]: x and y in −1..1 of the photo, and 1 where
    visible; photos without them are passed over. All points are [K,2] float64.
    """

    def __init__(
        self,
        place: Callable[[Case, Answer], P | None],
        transfer: Transfer[P],
        pairs: int = 10_000,
        seed: int = 0,
    ) -> None:
        self._place, self._transfer = place, transfer
        self._pairs, self._seed = pairs, seed
        self._keypoints: list[Tensor] = []
        self._visible: list[Tensor] = []
        self._placed: list[P] = []

    def add(self, case: Case, answer: Answer, scores: Mapping[str, float]) -> None:
        """Take in one photo."""
        keypoints = case.facts.get("keypoints")
        placed = self._place(case, answer)
        if keypoints is not None and placed is not None:
            points = torch.as_tensor(np.asarray(keypoints, np.float64))
            self._keypoints.append(points)
            self._visible.append(points[:, 2] > 0)
            self._placed.append(placed)

    def scores(self) -> Scores:
        """``pck`` (error below .1) and ``pck_15``: per keypoint the share of pairs in which both
        see it, then the mean over keypoints. {} where no keypoint is seen in two photos."""
        found, wanted, visible = [], [], []
        for first, second in self._both_ways():
            found.append(self._carried(first, second))
            wanted.append(self._keypoints[second][:, :2])
            visible.append(self._visible[first] & self._visible[second])
        if not any(seen.any() for seen in visible):
            return {}
        places, truth, seen = torch.stack(found), torch.stack(wanted), torch.stack(visible)
        scores: Scores = {}
        for name, limit in _THRESHOLDS.items():
            scores[name] = metrics.pck(places, truth, seen, limit).item()
        return scores

    def _carried(self, first: int, second: int) -> Tensor:
        """The keypoints of one photo, where they should be in the other."""
        points = self._keypoints[first][:, :2]
        return self._transfer(points, self._placed[first], self._placed[second])

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


@dataclass(frozen=True, slots=True)
class ProjectedTemplate:
    """Where a template lies in a photo: each of its ``vertices`` [V,2], visible or not, and the
    ``foreground`` [N,2], the middles of the pixels it covers; x and y in −1..1."""

    vertices: Tensor
    foreground: Tensor


def by_vertex(points: Tensor, source: ProjectedTemplate, target: ProjectedTemplate) -> Tensor:
    """Each point's nearest vertex in the source, seen by the target's camera, moved to the nearest
    pixel of the target's foreground (UMR's transfer by camera)."""
    vertex = torch.cdist(points, source.vertices).argmin(1)
    places = target.vertices[vertex]
    if not len(target.foreground):
        return places
    return target.foreground[torch.cdist(places, target.foreground).argmin(1)]


def by_flow(points: Tensor, source: Tensor, target: Tensor) -> Tensor:
    """Through texture flows [F,T,2], where in the photo the T texels of each of a template's F
    faces are sampled: the face whose texels lie closest to the point (by a Gaussian of 3 of 256
    pixels, mean over texels) in the source → its mean place in the target (UMR's transfer by
    flow)."""
    squared = (points[:, None, None] - source[None]).square().sum(-1)
    heat = torch.exp(-squared / (2 * _SIGMA**2)).mean(2)
    return target[heat.argmax(1)].mean(1)


def projected_template(case: Case, answer: Answer) -> ProjectedTemplate | None:
    """From the record ``projection`` (``{"vertices": [[x, y], …]}``) and the layer ``silhouette``
    (or ``mask``), which covers the photo where it is above 0. None without the record."""
    if "projection" not in answer:
        return None
    silhouette = answer.get("silhouette", answer.get("mask"))
    foreground = torch.zeros(0, 2, dtype=torch.float64)
    if silhouette is not None:
        foreground = covered_pixels(silhouette)
    vertices = torch.as_tensor(answer["projection"]["vertices"], dtype=torch.float64)
    return ProjectedTemplate(vertices, foreground)


def covered_pixels(silhouette: Image) -> Tensor:
    """[H,W] or [H,W,C] → the middles [N,2] of its pixels above 0, x and y in −1..1."""
    height, width = silhouette.shape[:2]
    covered = silhouette.reshape(height, width, -1).max(2) > 0
    rows, columns = np.nonzero(covered)
    x = (columns + 0.5) / width
    y = (rows + 0.5) / height
    return torch.from_numpy(np.stack([x, y], axis=1) * 2 - 1)


#: PCK of answers that say where a template's vertices lie.
template_pool = partial(TransferPool[ProjectedTemplate], projected_template, by_vertex)
