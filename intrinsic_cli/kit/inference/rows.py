"""What is asked of a photo that is never whole in memory as light."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from intrinsic_cli.kit.files.photo import Photo
from intrinsic_cli.kit.inference.prepare import Planes

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image


class Rows(Protocol):
    """What is asked of a photo whose rows are looked at one after another; see
    :class:`~intrinsic_cli.kit.files.photo_rows.PhotoRows` and
    :class:`~intrinsic_cli.kit.inference.device_rows.DeviceRows`."""

    @property
    def size(self) -> tuple[int, int]:
        """(h, w)."""

    @property
    def has_alpha(self) -> bool:
        """Is something in it said to be no part of it?"""

    @property
    def header(self) -> Photo:
        """What is told of all rows together."""

    @property
    def exposure(self) -> float:
        """What ``planes`` and ``noise`` are divided by, as light beyond white asks for: else 1."""

    @property
    def noise(self) -> float:
        """The error of dark pixels."""

    def rows(self, rows: slice) -> Photo:
        """Some rows as a photo of their own."""

    def planes(self, rows: slice) -> Planes:
        """Their colours, channel by channel, [3,h,W]."""

    def alpha(self, rows: slice) -> Image | None:
        """Their alpha."""
