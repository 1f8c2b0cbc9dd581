"""Frames → MP4 files that play everywhere: H.264, yuv420p, BT.709."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.kit.files.atomic import replacing
from intrinsic_cli.kit.files.ffmpeg import Ffmpeg

#: Quality: 0 = without loss, 23 = as usual. Layers are measured and multiplied.
_QUALITY = "12"
_COLOURS = (
    *("-colorspace", "bt709", "-color_primaries", "bt709"),
    *("-color_trc", "bt709", "-color_range", "tv"),
)
_RAW = ("-f", "rawvideo", "-pix_fmt", "rgb24")
_TO_BT709 = "scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd+full_chroma_int"
#: No frame looks ahead, so that files can be put one behind the other.
_ENCODER = ("-c:v", "libx264", "-preset", "veryfast", "-crf", _QUALITY, "-bf", "0", "-threads", "4")
_WEB = ("-movflags", "+faststart", "-f", "mp4")


class ClipWriter:
    """Writes one file, ``rate`` frames a second; a context. Frames of odd width or height get a
    column or row more, a copy of the last, which yuv420p needs. ``aspect`` is how wide a pixel is
    beside its height."""

    def __init__(self, path: Path, rate: Fraction, aspect: Fraction = Fraction(1)) -> None:
        self.path = path
        self._rate, self._aspect = rate, aspect
        self._ffmpeg: Ffmpeg | None = None
        self._stack = ExitStack()

    def __enter__(self) -> ClipWriter:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def write(self, codes: NDArray[np.uint8]) -> None:
        """One frame, [H,W,1 or 3], sRGB. OSError where the disk is full."""
        even = _even(codes)
        if self._ffmpeg is None:
            self._ffmpeg = self._stack.enter_context(self._start(even.shape[0], even.shape[1]))
        self._ffmpeg.feed(even.data)

    def close(self) -> None:
        """The file is whole. OSError where the disk is full."""
        if self._ffmpeg is not None and self._ffmpeg.end():
            raise self._ffmpeg.failure()

    def _start(self, height: int, width: int) -> Ffmpeg:
        size = ("-s", f"{width}x{height}")
        rate = ("-r", str(self._rate))
        source = (*_RAW, *size, *rate, "-i", "pipe:0")
        filters = ("-vf", f"{_TO_BT709},format=yuv420p,setsar={self._aspect}")
        place = ("-f", "mp4", f"file:{self.path}")
        words = [*source, *filters, *_ENCODER, *_COLOURS, *place]
        return Ffmpeg(words, stdin=subprocess.PIPE)


def join(parts: Sequence[Path], path: Path) -> None:
    """Parts that a :class:`ClipWriter` wrote into one folder, one behind the other → ``path``,
    atomically. OSError, IidError."""
    listed = "".join(f"file '{part.name}'\n" for part in parts)
    with replacing(path) as temporary:
        names = parts[0].with_suffix(".txt")
        names.write_text(listed, encoding="utf-8")
        source = ("-f", "concat", "-safe", "0", "-i", f"file:{names}")
        with Ffmpeg([*source, "-c", "copy", *_WEB, f"file:{temporary}"]) as ffmpeg:
            if ffmpeg.end():
                raise ffmpeg.failure()


def _even(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """[H,W,3] with even sides, in one piece."""
    height, width, channels = codes.shape
    if channels == 1:
        codes = np.repeat(codes, 3, axis=2)
    if height % 2 or width % 2:
        codes = np.pad(codes, ((0, height % 2), (0, width % 2), (0, 0)), "edge")
    return np.ascontiguousarray(codes)
