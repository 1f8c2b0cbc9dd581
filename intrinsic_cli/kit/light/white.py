"""What counts as white in a picture: its 99th percentile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intrinsic_cli.api.outputs import Image


def white_gain(image: Image, mask: NDArray[np.bool_]) -> float:
    """The factor that brings the 99th percentile of [H,W,C] over masked pixels and channels to 1 (1
    for black)."""
    known = image[mask] if mask.any() else image
    white = float(np.percentile(known, 99))
    return 1 / white if white > 1e-6 else 1.0
