"""Pictures made smaller while their rows pass, so that they need not be whole in memory."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.kit.files.opencv import cv2

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image


class AreaMeans:
    """A picture of ``size`` (h, w) brought to a size ``to`` that is no larger: each pixel is the
    mean of the area that it stands for, as with OpenCV's ``INTER_AREA``."""

    def __init__(self, size: tuple[int, int], to: tuple[int, int]) -> None:
        self._to = to
        self._scale = size[0] / to[0]
        self._means: Image | None = None

    def add(self, rows: slice, part: Image) -> None:
        """The ``rows`` [n,W,C] of the picture; each comes once."""
        narrow = self._narrowed(part)
        if self._means is None:
            shape = (self._to[0], *narrow.shape[1:])
            self._means = np.zeros(shape, np.float32)
        first = int(rows.start / self._scale)
        stop = math.ceil(rows.stop / self._scale)
        made = slice(first, min(stop, self._to[0]))
        shares = self._shares(made, rows)
        self._means[made] += np.tensordot(shares, narrow, axes=1)

    @property
    def picture(self) -> Image:
        """The small picture [h,w,C], when all rows have come."""
        if self._means is None:
            raise ValueError("no rows have come")
        return self._means

    def _narrowed(self, part: Image) -> Image:
        """[n,W,C] → [n,w,C]."""
        size = (self._to[1], len(part))
        narrow: Image = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
        return narrow.reshape(len(part), self._to[1], -1)  # OpenCV drops a single channel

    def _shares(self, made: slice, of: slice) -> Image:
        """How much the rows ``of`` the picture count in the rows ``made``, [len(made),len(of)]."""
        numbers = np.arange(made.start, made.stop)
        tops = numbers[:, None] * self._scale
        bottoms = tops + self._scale
        rows = np.arange(of.start, of.stop)
        common = np.minimum(bottoms, rows + 1) - np.maximum(tops, rows)
        shares = common.clip(min=0.0) / self._scale
        return np.asarray(shares, np.float32)
