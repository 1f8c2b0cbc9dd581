"""Video files → their frames, upright, one after the other."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files.clip import MEANT_RATES, Clip, ClipFrame
from intrinsic_cli.kit.files.code_points import UNSAID, UNTOLD, CodePoints
from intrinsic_cli.kit.files.code_profile import note_on, profile_of
from intrinsic_cli.kit.files.ffmpeg import INPUT, Ffmpeg
from intrinsic_cli.kit.files.memory import check_pixels
from intrinsic_cli.kit.files.metadata import Metadata
from intrinsic_cli.kit.files.photo import to_photo

Frames = NDArray[Any]

AGAIN = "copy or download it again"
#: The longest time between two frames is so many times the shortest where the rate varies.
_UNEVEN = 1.5
_MOST_RATE = 240  # frames a second; beyond it is the clock of the file, not its frames
#: Lines from which on a video that does not tell its colours is taken to be BT.709, as players do.
_HIGH_DEFINITION = 720
_DEEP = re.compile(r"p(9|10|12|14|16)(le|be)?$|^(rgb|bgr)(a)?(48|64)")
_ALPHA = re.compile(r"^(yuva|gbrap|rgba|bgra|argb|abgr|ya)")
#: How ffmpeg hands out channels of so many bits, and numpy reads them.
_FORMS = {8: ("rgb24", "u1"), 16: ("rgb48le", "<u2")}
#: What ffmpeg calls colours that are not nearly those of BT.709, and their numbers (H.273).
_CURVES = {"smpte2084": 16, "arib-std-b67": 18}
_PRIMARIES = {"bt2020": 9, "smpte431": 11, "smpte432": 12}


@dataclass(frozen=True, slots=True)
class Video(Clip):
    """A video file. ``sampled``: its frames are taken at even times, not just as they are.
    ``untold``: it does not tell its colours and is taken to be BT.709. ``points``: what it tells of
    colours that are not those."""

    sampled: bool = False
    untold: bool = False
    points: CodePoints = UNSAID

    def frames(self, start: int = 0, step: int = 1) -> Generator[ClipFrame, None, None]:
        """Those that can be decoded; none of them is lost."""
        encoding = "auto" if self.points else self.encoding
        said = Metadata(points=self.points)
        with closing(read_frames(self, start, step)) as frames:
            for number, codes in enumerate(frames):
                photo = to_photo(codes, encoding, said)
                yield ClipFrame(start + number * step, photo)


def open_video(path: Path, fps: float | None = None, encoding: str = "auto") -> Video:
    """Look through a video once, and decide how its frames are taken: all of them, or ``fps`` a
    second where it has more; one whose rate varies at even times. ``encoding`` auto: sRGB, or what
    it tells of wider colours and HDR. DataError where it is damaged, too large, has no picture, or
    the extra ``video`` is missing."""
    first = r"vfrdet,select=eq(n\,0),showinfo"
    with Ffmpeg([*_source(path), "-vf", first, "-f", "null", "-"]) as ffmpeg:
        status = ffmpeg.end()
        said, errors = ffmpeg.said(), ffmpeg.errors()
    if "matches no streams" in said:
        raise DataError("it is a video without pictures", "only sound is in it")
    shown = _Shown(said)
    if not shown.has_frame:
        reason = f" ({errors[0]})" if errors else ""
        sentence = f"the video is truncated, damaged or of a kind that iid does not read{reason}"
        raise DataError(sentence, AGAIN)
    check_pixels(*shown.size)
    notes = list(shown.notes())
    if errors or status:
        reason = errors[0] if errors else "ffmpeg gave up"
        notes.append(f"the video is damaged ({reason}); what can be decoded of it is done")
    video = _video(path, shown, fps, tuple(notes))
    if encoding != "auto":
        return replace(video, encoding=encoding)
    return _coloured(video, shown.points)


def _coloured(video: Video, points: CodePoints) -> Video:
    """The video with what it tells of its colours."""
    profile = profile_of(points) if points else None
    if profile is None:
        return video
    note = note_on(points, video.bits)
    notes = (*video.notes, note) if note else video.notes
    return replace(video, points=points, encoding="icc", profile=profile.name, notes=notes)


def read_frames(video: Video, start: int = 0, step: int = 1) -> Generator[Frames, None, None]:
    """The frames of a video from the one numbered ``start`` (from 0), every ``step``-th: [H,W,3]
    uint8, or uint16 where it has more bits."""
    form, dtype = _FORMS[video.bits]
    shape = (*video.size, 3)
    length = prod(shape) * np.dtype(dtype).itemsize
    raw = ("-fps_mode", "passthrough", "-pix_fmt", form, "-f", "rawvideo", "-")
    words = [*_source(video.path), "-vf", _filters(video, start, step), *raw]
    with Ffmpeg(words, stdout=subprocess.PIPE) as ffmpeg:
        while True:
            data = ffmpeg.output.read(length)
            if len(data) < length:  # all of it was read, or what is left is damaged
                return
            codes = np.frombuffer(data, dtype)
            yield codes.reshape(shape)


def _source(path: Path) -> list[str]:
    """The video itself: not its sound, nor the picture of its cover."""
    return [*INPUT, "-i", f"file:{path}", "-map", "0:V:0"]


def _filters(video: Video, start: int, step: int) -> str:
    """Which frames, and how they become red, green and blue."""
    height, width = video.size
    matrix = ":in_color_matrix=bt709" if video.untold else ""
    filters = [f"fps={video.rate}"] if video.sampled else []
    if start:
        filters.append(f"select=gte(n\\,{start})")
    if step > 1:
        filters.append(f"select=not(mod(n\\,{step}))")  # it counts what came through
    filters.append(f"scale={width}:{height}:flags=accurate_rnd+full_chroma_int{matrix}")
    return ",".join(filters)


def _video(path: Path, shown: _Shown, fps: float | None, notes: tuple[str, ...]) -> Video:
    rate, count = shown.rate, shown.count
    sampled = shown.varies
    if sampled:
        notes = (*notes, f"its frame rate varies: {float(rate):.4g} frames a second are taken")
    if fps is not None and fps < rate:
        count = max(1, round(count / shown.average * Fraction(fps)))
        rate, sampled = Fraction(fps).limit_denominator(1001), True
    elif sampled:
        count = max(1, round(count / shown.average * rate))
    width, height = shown.size
    return Video(
        path,
        (height, width),
        rate,
        count,
        shown.codec,
        bits=16 if _DEEP.search(shown.form) else 8,
        sampled=sampled,
        untold=shown.space == "unknown" and height >= _HIGH_DEFINITION,
        aspect=shown.aspect,
        notes=notes,
    )


class _Shown:
    """What ffmpeg said of a video that it went through."""

    def __init__(self, said: str) -> None:
        self._said = said
        self.has_frame = self._find(r" s:(\d+)x(\d+) ") is not None
        self.codec = self._word(r": Video: (\w+)")
        self.form = self._word(r" fmt:(\S+)")
        self.space = self._word(r"color_space:(\w+)")

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)"""
        width, height = self._numbers(r" s:(\d+)x(\d+) ")
        return width, height

    @property
    def aspect(self) -> Fraction:
        numbers = self._numbers(r" sar:(\d+)/(\d+)")
        return Fraction(*numbers) if len(numbers) == 2 and all(numbers) else Fraction(1)

    @property
    def average(self) -> Fraction:
        """Frames a second over all of it."""
        found = self._find(r", ([\d.]+) fps")
        told = float(found[1]) if found else 0.0
        return MEANT_RATES.get(told, Fraction(found[1]) if found and told else self._base)

    @property
    def rate(self) -> Fraction:
        """Frames a second at which it was meant to be."""
        return self._base if self._base <= _MOST_RATE else min(self.average, Fraction(30))

    @property
    def _base(self) -> Fraction:
        numbers = self._numbers(r"config in .* frame_rate: (\d+)/(\d+)")
        return Fraction(*numbers) if len(numbers) == 2 and all(numbers) else Fraction(25)

    @property
    def _steps(self) -> list[int]:
        """Of the steps between frames: how many differ from the one before, how many do not, and
        the shortest and longest, where any differ."""
        found = re.findall(r"VFR:\S+ \((\d+)/(\d+)\)(?: min: (\d+) max: (\d+))?", self._said)
        return [int(number or 0) for number in found[-1]] if found else [0, 0, 0, 0]

    @property
    def count(self) -> int:
        """Frames in the file."""
        return sum(self._steps[:2]) + 1

    @property
    def varies(self) -> bool:
        """Is the time between its frames not the same?"""
        shortest, longest = self._steps[2:]
        return longest > _UNEVEN * shortest

    @property
    def points(self) -> CodePoints:
        """Its colours by numbers, where they are not nearly those of BT.709."""
        curve = _CURVES.get(self._word(r"color_trc:([\w-]+)"), UNTOLD)
        return CodePoints(_PRIMARIES.get(self._word(r"color_primaries:(\w+)"), UNTOLD), curve)

    def notes(self) -> Iterator[str]:
        """What is not done as one might expect."""
        if _ALPHA.match(self.form):
            yield "its alpha is passed over"
        if self._word(r" i:(\w)") in ("T", "B"):
            yield "it is interlaced: deinterlace it first, for example with ffmpeg -vf bwdif"

    def _find(self, pattern: str) -> re.Match[str] | None:
        return re.search(pattern, self._said)

    def _word(self, pattern: str) -> str:
        found = self._find(pattern)
        return found[1] if found else ""

    def _numbers(self, pattern: str) -> list[int]:
        found = self._find(pattern)
        return [int(group) for group in found.groups()] if found else []
