"""A shot of many frames, whichever way they are stored: what a reader of one offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from intrinsic_cli.kit.files.exif import Exif
from intrinsic_cli.kit.files.photo import Photo

#: Usual rates are told with two decimals; these are meant: 23.98 is 24000/1001.
MEANT_RATES = {round(1000 * n / 1001, 2): Fraction(1000 * n, 1001) for n in (24, 30, 48, 60, 120)}


@dataclass(frozen=True, slots=True)
class ClipFrame:
    """The frame ``index`` (from 0) of a clip: its ``photo``, None where it is lost, and ``trouble``
    says why in a sentence that names it; and what its file tells, ``exif``."""

    index: int
    photo: Photo | None
    exif: Exif = field(default_factory=Exif)
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Clip(ABC):
    """A clip that has been looked through: ``size`` (height, width) of its upright frames, of which
    ``rate`` are shown a second; ``count`` of those that will come, with those that are lost;
    ``codec``, how they are stored. Their channels have ``bits`` and were understood as ``encoding``
    and ``profile`` say. ``aspect`` is how wide a pixel is beside its height. ``notes`` are
    sentences to be read."""

    path: Path
    size: tuple[int, int]
    rate: Fraction
    count: int
    codec: str
    bits: int = 8
    encoding: str = "srgb"
    profile: str = ""
    aspect: Fraction = Fraction(1)
    notes: tuple[str, ...] = ()

    @abstractmethod
    def frames(self, start: int = 0, step: int = 1) -> Generator[ClipFrame, None, None]:
        """The frames from the one numbered ``start`` (from 0), every ``step``-th, in order."""

    def stem(self, index: int) -> str:
        """What the names of the pictures made of a frame begin with."""
        return f"{index + 1:06d}"

    @property
    def seconds(self) -> float:
        """How long it plays."""
        return float(self.count / self.rate)
