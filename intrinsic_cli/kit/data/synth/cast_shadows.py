"""Hard shadows that the things in a picture cast on what lies beside them.

The eye tells such a shadow from dark paint by its outline, which is that of the thing it clings to,
and by what goes on inside: the grain of the ground. Renderings hold few of them that are deep. Here
outlines are moved over the picture: sheared about their foot, as things that stand throw shadows in
low sun, or shifted, as seen from above."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.kit.files.opencv import cv2

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intrinsic_cli.api.outputs import Image

    Mask = NDArray[np.bool_]

_SMALLEST, _LARGEST = 0.004, 0.3  # of the picture: what casts a shadow
_MOST = 4  # things that cast one
_STANDING = 0.5  # of the shadows lie at the foot of their thing, the others beside it
_STEPS = 12  # outlines between a thing's own and the end of its shadow


def cast_shadow(ids: NDArray[np.uint8], rng: np.random.Generator) -> Image | None:
    """[H,W] object numbers → [H,W] in 0..1: the share of a light that arrives beside one to four of
    the objects, all of whose shadows fall to one side. None where no object is of a fit size.

    What casts a shadow has none of its own: the renderer has drawn it."""
    casters = _casters(ids, rng)
    if not casters:
        return None
    shadow = np.zeros(ids.shape, np.bool_)
    standing = rng.random() < _STANDING
    slant = rng.uniform(-2, 2)
    length = rng.uniform(0.15, 1)
    away = rng.uniform(0, 2 * np.pi)
    for number in casters:
        thing = ids == number
        fallen = _fallen(thing, slant, length) if standing else _beside(thing, away, length)
        shadow |= fallen & ~thing
    return np.asarray(~shadow, np.float32)


def _casters(ids: NDArray[np.uint8], rng: np.random.Generator) -> list[int]:
    """Some objects that are neither dots nor most of the picture."""
    numbers, counts = np.unique(ids[ids > 0], return_counts=True)
    share = counts / ids.size
    fit = numbers[(share > _SMALLEST) & (share < _LARGEST)]
    if not fit.size:
        return []
    count = rng.integers(1, _MOST + 1)
    chosen = rng.choice(fit, size=min(int(count), fit.size), replace=False)
    return [int(number) for number in chosen]


def _fallen(thing: Mask, slant: float, length: float) -> Mask:
    """The outline laid down on the ground: what was up is now to one side, and away or near."""
    rows, _ = np.nonzero(thing)
    foot = float(rows.max())
    # A pixel above the foot comes to lie ``slant`` times as far aside, ``length`` times as far up.
    laid = np.array([[1, -slant, slant * foot], [0, length, (1 - length) * foot]])
    return _moved(thing, laid)


def _beside(thing: Mask, away: float, length: float) -> Mask:
    """All the outlines between the thing's own and one shifted by up to half of its size."""
    reach = length * 0.5 * np.sqrt(thing.sum())
    across = reach * np.cos(away)
    down = reach * np.sin(away)
    swept = np.zeros_like(thing)
    for part in np.linspace(0, 1, _STEPS):
        shift = np.eye(2, 3)
        shift[:, 2] = part * across, part * down
        swept |= _moved(thing, shift)
    return swept


def _moved(thing: Mask, where: NDArray[np.float64]) -> Mask:
    """Filled outlines: rows of pixels that are sheared far would come apart."""
    moved = np.zeros(thing.shape, np.uint8)
    found = cv2.findContours(thing.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    outlines = []
    for outline in found[0]:
        points = cv2.transform(outline.astype(np.float64), where)
        outlines.append(points.round().astype(np.int32))
    cv2.fillPoly(moved, outlines, 1)
    return np.asarray(moved > 0)
