"""Numbered image files → the frames of a shot, one after the other."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from pathlib import Path

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files.clip import MEANT_RATES, Clip, ClipFrame
from intrinsic_cli.kit.files.frame_numbers import frames_of
from intrinsic_cli.kit.files.memory import at_most
from intrinsic_cli.kit.files.metadata import read_metadata
from intrinsic_cli.kit.files.photo import Photo, read_photo
from intrinsic_cli.kit.files.read_bytes import read_bytes

#: Frames a second where nobody says: those of the cinema.
RATE = Fraction(24)
#: More places than so many for each file: its number does not count frames, but tells a time.
_SPARSE = 2
_MOST_NAMED = 12  # gaps in one sentence


@dataclass(frozen=True, slots=True)
class Reading:
    """How each file is read: the ``encoding`` and EXR ``layer`` asked for, and the most ``pixels``
    it may have."""

    encoding: str = "auto"
    layer: str = ""
    pixels: int | None = None

    def photo(self, data: bytes, suffix: str) -> Photo:
        """One file. DataError."""
        with at_most(self.pixels):
            return read_photo(data, self.encoding, self.layer, suffix)


@dataclass(frozen=True, slots=True)
class FrameSequence(Clip):
    """Numbered files: ``files`` by the places of their frames, None where one is missing."""

    files: tuple[Path | None, ...] = ()
    reading: Reading = Reading()

    def frames(self, start: int = 0, step: int = 1) -> Generator[ClipFrame, None, None]:
        """All of them; one that is missing, broken or of another size is lost."""
        for index in range(start, self.count, step):
            yield self._frame(index)

    def stem(self, index: int) -> str:
        """As its own file is called."""
        path = self.files[index]
        return f"{index + 1:06d}" if path is None else path.stem

    def _frame(self, index: int) -> ClipFrame:
        path = self.files[index]
        if path is None:
            return ClipFrame(index, None)  # the notes name it
        try:
            data = read_bytes(path)
            photo = self.reading.photo(data, path.suffix)
        except DataError as error:
            return ClipFrame(index, None, trouble=f"{path.name} is left out: {error.message}")
        size = photo.pixels.shape[:2]
        if size != self.size:
            told = f"{path.name} is left out: it has {_size(size)} pixels, not {_size(self.size)}"
            return ClipFrame(index, None, trouble=told)
        return ClipFrame(index, photo, read_metadata(data).exif)


def open_sequence(
    pattern: Path, fps: float | None = None, reading: Reading = Reading()
) -> FrameSequence:
    """Look at the files of ``a.%04d.png`` and read the first of them that can be read. DataError
    where there is none."""
    found = frames_of(pattern)
    if not found:
        raise DataError(f"there are no frames called {pattern.name}", "check the path")
    first = _first_photo(list(found.values()), reading)
    files, notes = _in_places(found)
    return FrameSequence(
        pattern,
        (first.pixels.shape[0], first.pixels.shape[1]),
        RATE if fps is None else _meant(fps),
        len(files),
        pattern.suffix.removeprefix(".").lower(),
        bits=first.bits,
        encoding=first.encoding,
        profile=first.profile,
        notes=(*notes, *first.notes),
        files=files,
        reading=reading,
    )


def _first_photo(files: Sequence[Path], reading: Reading) -> Photo:
    trouble: DataError | None = None
    for path in files:
        try:
            return reading.photo(read_bytes(path), path.suffix)
        except DataError as error:
            trouble = trouble or error
    assert trouble is not None  # there is a file
    raise DataError(f"none of its frames can be read: {trouble.message}", trouble.hint)


def _in_places(found: Mapping[int, Path]) -> tuple[tuple[Path | None, ...], tuple[str, ...]]:
    """The files by their places in the shot, and what is to be told of their numbers: those of
    every tenth frame have no gaps between them."""
    numbers = sorted(found)
    first, last = numbers[0], numbers[-1]
    steps = (number - first for number in numbers)
    every = gcd(*steps) or 1  # 0 where there is but one
    places = range(first, last + 1, every)
    if len(places) > _SPARSE * len(numbers):
        note = "its numbers leap, so its frames are taken one right after the other"
        return tuple(map(found.get, numbers)), (note,)
    files = tuple(map(found.get, places))
    missing = [number for number in places if number not in found]
    notes = tuple(_missing(missing, every))
    return files, notes


def _missing(numbers: Sequence[int], every: int) -> Iterator[str]:
    """A sentence about frames that are not there: ``frames 7, 12-15 are missing``."""
    if not numbers:
        return
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + every:
            runs[-1].append(number)
        else:
            runs.append([number])
    named = [str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs]
    more = f" and {len(named) - _MOST_NAMED} more gaps" if len(named) > _MOST_NAMED else ""
    what = "frame {} is missing" if len(numbers) == 1 else "frames {} are missing"
    yield what.format(", ".join(named[:_MOST_NAMED]) + more)


def _size(size: tuple[int, ...]) -> str:
    height, width = size
    return f"{width}x{height}"


def _meant(fps: float) -> Fraction:
    """Frames a second as they were asked for, exactly."""
    return MEANT_RATES.get(round(fps, 2), Fraction(fps).limit_denominator(1001))
