"""Photos whose alpha is told by a file of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from intrinsic_cli.kit.files.mask import Mask
from intrinsic_cli.kit.files.photo import Photo
from intrinsic_cli.kit.inference.prepare import Planes
from intrinsic_cli.kit.inference.rows import Rows

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image


class MaskedRows:
    """The rows of a photo, with ``mask`` in the place of their alpha."""

    has_alpha = True

    def __init__(self, photo: Rows, mask: Mask) -> None:
        self.size, self.header = photo.size, photo.header
        self.exposure, self.noise = photo.exposure, photo.noise
        self._photo = photo
        self._mask = mask

    def rows(self, rows: slice) -> Photo:
        """Some rows as a photo of their own."""
        return replace(self._photo.rows(rows), alpha=self.alpha(rows))

    def planes(self, rows: slice) -> Planes:
        """Their colours, channel by channel, [3,h,W]."""
        return self._photo.planes(rows)

    def alpha(self, rows: slice) -> Image:
        """The mask there."""
        return self._mask.resized_rows(rows, self.size)
