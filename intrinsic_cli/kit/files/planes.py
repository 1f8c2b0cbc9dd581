"""Pictures whose channels lie apart, each in one piece, which is quicker to work on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.kit.files.opencv import cv2


def planes_of(image: NDArray[Any]) -> NDArray[Any]:
    """[H,W,C] → [C,H,W]."""
    height, width, channels = image.shape
    planes = np.empty((channels, height, width), image.dtype)
    cv2.split(np.ascontiguousarray(image), list(planes))
    return planes


def merged(planes: NDArray[Any]) -> NDArray[Any]:
    """[C,H,W] → [H,W,C]."""
    channels, height, width = planes.shape
    image: NDArray[Any] = cv2.merge(list(planes))
    return image.reshape(height, width, channels)
