"""The outline of an object as a network sees it by itself, drawn along the colours of the photo.

Networks see outlines coarsely. What they are certain of gives GrabCut (Rother et al. 2004) the
colours of the object and of what is around it, by which it decides about the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from iid_mesh.grabcut import settled
from intrinsic_cli.kit.files.opencv import cv2

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intrinsic_cli.api.outputs import Image

#: Side of the picture that is looked at, pixels.
SIDE = 128
#: Less likely than the one is certainly around the object, more likely than the other in it.
_AROUND, _INSIDE = 0.05, 0.95
_ROUNDS = 3
#: What is found overlaps at least so far with what the network saw (intersection over union).
_AGREED = 0.5


def drawn(colours: Image, inside: Image) -> Image:
    """A square photo [S,S,3], sRGB 0..1, and how likely its pixels show the object by a network
    [s,s] → where the object is [128,128], 0..1; as the network says where the colours tell of
    another object."""
    size = (SIDE, SIDE)
    chances = cv2.resize(inside, size, interpolation=cv2.INTER_LINEAR)
    seen = chances > 0.5
    if seen.all() or not seen.any():
        return np.asarray(chances, np.float32)
    small = cv2.resize(colours, size, interpolation=cv2.INTER_AREA)
    codes = (small.clip(0, 1) * 255).astype(np.uint8)
    found = settled(codes, _labels(chances), _ROUNDS)
    if _overlap(found > 0.5, seen) < _AGREED:
        return np.asarray(chances, np.float32)
    return found


def _labels(chances: Image) -> NDArray[np.uint8]:
    """What GrabCut is told of pixels [h,w]."""
    told = np.full(chances.shape, cv2.GC_PR_BGD, np.uint8)
    told[chances > 0.5] = cv2.GC_PR_FGD
    told[chances > _INSIDE] = cv2.GC_FGD
    told[chances < _AROUND] = cv2.GC_BGD
    return told


def _overlap(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Intersection over union."""
    either = int((one | other).sum())
    return int((one & other).sum()) / max(1, either)
