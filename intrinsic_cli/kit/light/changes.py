"""Changes of a photo that leave its paint as it is: parts of it, turns, exposure, the colour of its
light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intrinsic_cli.api.outputs import Image


@dataclass(frozen=True, slots=True)
class Change:
    """One way to change a photo; ``kind`` is what tables call it.

    The ``window`` (top, left, bottom, right in shares of the sides) is cut out, turned
    counter-clockwise ``turns`` times by 90°, mirrored if it is ``mirrored``, and its red, green and
    blue are multiplied by ``gains``."""

    kind: str
    window: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    turns: int = 0
    mirrored: bool = False
    gains: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def cut(self, whole: NDArray[Any]) -> NDArray[Any]:
        """The window of a picture [H,W] or [H,W,C], as it stands there."""
        height, width = whole.shape[:2]
        top, left, bottom, right = self.window
        rows = _part(top, bottom, height)
        columns = _part(left, right, width)
        return whole[rows, columns]

    def moved(self, whole: NDArray[Any]) -> NDArray[Any]:
        """The window cut out, turned and mirrored."""
        turned = np.rot90(self.cut(whole), self.turns)
        return turned[:, ::-1] if self.mirrored else turned

    def moved_back(self, part: NDArray[Any]) -> NDArray[Any]:
        """A picture of the changed photo's size, as it would stand in the window of :meth:`cut`."""
        upright = part[:, ::-1] if self.mirrored else part
        return np.rot90(upright, -self.turns)

    def photo(self, whole: Image) -> Image:
        """The changed photo of a photo [H,W,3] in linear light, clipped at 1 as files are."""
        gains = np.array(self.gains, np.float32)
        exposed = self.moved(whole) * gains
        return np.minimum(exposed, np.float32(1))


def _part(start: float, stop: float, length: int) -> slice:
    """The pixels between two shares of a side."""
    return slice(round(start * length), round(stop * length))


#: Red over green and blue over green of the cast, and of its opposite: about what lies between
#: daylight of 5000 and of 8000 kelvin. No channel grows, so that nothing clips.
WARM, COOL = (1.0, 0.8, 0.64), (0.64, 0.8, 1.0)

UNCHANGED = Change("unchanged")

#: The photo as it is comes first; those of one kind are averaged.
CHANGES = (
    UNCHANGED,
    Change("quarter", (0.0, 0.0, 0.5, 0.5)),
    Change("quarter", (0.0, 0.5, 0.5, 1.0)),
    Change("quarter", (0.5, 0.0, 1.0, 0.5)),
    Change("quarter", (0.5, 0.5, 1.0, 1.0)),
    Change("turn_90", turns=1),
    Change("turn_180", turns=2),
    Change("shift", (0.05, 0.05, 1.0, 1.0)),
    Change("mirror", mirrored=True),
    Change("brighter", gains=(2.0, 2.0, 2.0)),
    Change("darker", gains=(0.5, 0.5, 0.5)),
    Change("cast", gains=WARM),
    Change("cast", gains=COOL),
)
