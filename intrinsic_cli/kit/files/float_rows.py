"""Large photos of floats: read from their files some rows at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files.light_facts import LightFacts
from intrinsic_cli.kit.files.metadata import Metadata
from intrinsic_cli.kit.files.photo import Photo, light_of, repair_rows, split_alpha
from intrinsic_cli.kit.files.planes import planes_of
from intrinsic_cli.kit.light.resize import bands

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

#: What broken files make those raise that read them.
BROKEN = (EOFError, ValueError)


class Scanlines(Protocol):
    """A file as :func:`~intrinsic_cli.kit.files.decode.decode` has it, row by row."""

    @property
    def size(self) -> tuple[int, int]:
        """(h, w)."""

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """The rows between, [n,W,C], floats. One of :data:`BROKEN` where the file is damaged."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How the numbers of a file are understood: by an ``encoding``, which may be to follow its
    ``metadata``; and what is told of ``damage``, with a hint."""

    encoding: str
    metadata: Metadata
    damage: tuple[str, str]


class FloatRows:
    """As :class:`~intrinsic_cli.kit.files.photo_rows.PhotoRows`, of a photo of floats, none of
    which are in memory but those that were asked for last. ``planes`` and ``noise`` are divided by
    ``exposure``; ``is_hdr``: some of its light is beyond white. DataError where the
    file is damaged, or is changed later."""

    def __init__(self, lines: Scanlines, reading: Reading) -> None:
        self._lines = lines
        self._reading = reading
        #: What its file says of it.
        self.metadata = reading.metadata
        self.size = lines.size
        self._brightest = np.inf  # of its finite numbers, where some are not
        codes = self._codes(slice(0, 1))
        self._bits = codes.dtype.itemsize * 8
        self.has_alpha = split_alpha(codes)[1] is not None
        with np.errstate(all="ignore"):  # infinite light becomes anything
            facts = self._looked_through()
        if facts.is_infinite:
            self._brightest = facts.brightest
            facts = self._looked_through()
        self.header = self._told(facts)
        self.is_hdr = facts.is_beyond_white
        self.exposure = facts.exposure
        self.noise = facts.noise(self._bits, self.header.encoding) / self.exposure

    def rows(self, rows: slice) -> Photo:
        """Some rows, perhaps not all between the first and the last, as a photo of their own."""
        colours, alpha = split_alpha(self._codes(rows))
        light, _ = self._light(colours)
        return replace(light, alpha=alpha, bits=self._bits)

    def planes(self, rows: slice) -> NDArray[np.float32]:
        """The colours of some rows, channel by channel, [3,h,W]."""
        planes: NDArray[np.float32] = planes_of(self.rows(rows).pixels)
        if self.exposure != 1.0:
            planes /= np.float32(self.exposure)
        return planes

    def alpha(self, rows: slice) -> Image | None:
        """The alpha of some rows alone."""
        return split_alpha(self._codes(rows))[1] if self.has_alpha else None

    def _codes(self, rows: slice) -> NDArray[Any]:
        """The numbers of the file, [h,W,C]."""
        try:
            if rows.step in (None, 1):
                return self._lines.read(rows.start, rows.stop)
            numbers = range(rows.start, rows.stop, rows.step)
            return np.concatenate([self._lines.read(number, number + 1) for number in numbers])
        except BROKEN as error:
            raise DataError(*self._reading.damage) from error

    def _light(self, colours: NDArray[Any]) -> tuple[Photo, int]:
        """Colours as light, and how many pixels had to be repaired."""
        values, repaired = repair_rows(colours, self._brightest)
        photo = light_of(values, self._reading.encoding, self.metadata)
        return photo, repaired

    def _looked_through(self) -> LightFacts:
        """All rows, one after the other."""
        facts = LightFacts(self.size)
        for rows in bands(*self.size):
            colours, _ = split_alpha(self._codes(rows))
            facts.add_numbers(colours)
            photo, repaired = self._light(colours)
            facts.add_light(rows, photo, repaired)
        return facts

    def _told(self, facts: LightFacts) -> Photo:
        """What is told of all rows together."""
        height, width = self.size
        return replace(
            self.rows(slice(0, 1)),
            pixels=np.broadcast_to(np.float32(0), (height, width, 3)),
            alpha=None,
            repaired=facts.repaired,
            outside=facts.outside,
        )
