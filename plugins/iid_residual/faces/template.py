"""Where a face lies in the square the network sees.

Five points (eyes, nose, mouth corners) are laid over those of one template, as well as turning,
moving and scaling allow; training and decomposing use the same one. It leaves room for hair and
chin: its side is three and a half times the distance of the eyes.
"""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: x and y in the square (0..1): the eyes, the nose, the corners of the mouth; left to right in the
#: picture.
TEMPLATE = ((0.36, 0.42), (0.64, 0.42), (0.50, 0.56), (0.39, 0.715), (0.61, 0.715))


@dataclass(frozen=True, slots=True)
class Pose:
    """A square in a picture: its middle ``x``, ``y`` and its ``side`` in pixels, and the ``angle``
    in degrees by which what is in it stands turned, counter-clockwise."""

    x: float
    y: float
    side: float
    angle: float = 0.0

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, width, height before turning."""
        half = self.side / 2
        return self.x - half, self.y - half, self.side, self.side

    def moved(self, right: float, down: float, larger: float, turned: float) -> Pose:
        """By shares of the side, a factor and degrees."""
        x = self.x + right * self.side
        y = self.y + down * self.side
        return Pose(x, y, self.side * larger, self.angle + turned)

    def matrix(self, pixels: int) -> NDArray[np.float64]:
        """[2,3]: pixel (column, row, 1) of the upright square of ``pixels`` pixels → pixel of the
        picture, both counted at their middles."""
        turn = cmath.rect(self.side / pixels, -math.radians(self.angle))
        to_corner = complex(pixels - 1, pixels - 1) / 2
        middle = complex(self.x - 0.5, self.y - 0.5)
        first = middle - turn * to_corner
        rows = (
            (turn.real, -turn.imag, first.real),
            (turn.imag, turn.real, first.imag),
        )
        return np.array(rows, np.float64)


def pose_of(points: Any) -> Pose:
    """The square in which the five ``points`` [5,2] (pixels) lie nearest to the template's (least
    squares)."""
    wanted = _complex(TEMPLATE)
    found = _complex(points)
    wanted_middle = wanted.mean()
    found_middle = found.mean()
    spread = wanted - wanted_middle
    turn = complex((spread.conj() * (found - found_middle)).sum() / (abs(spread) ** 2).sum())
    middle = complex(found_middle) + turn * (complex(0.5, 0.5) - complex(wanted_middle))
    # y points down here, so what turns x towards y turns clockwise.
    angle = -math.degrees(cmath.phase(turn))
    return Pose(middle.real, middle.imag, abs(turn), angle)


def _complex(points: Any) -> NDArray[np.complex128]:
    x, y = np.asarray(points, np.float64).T
    return np.asarray(x + 1j * y)
