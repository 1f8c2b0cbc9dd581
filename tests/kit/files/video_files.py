"""Little videos of a pattern that moves, made by ffmpeg."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

ffmpeg = pytest.importorskip("imageio_ffmpeg", reason="the extra 'video' is not installed")

RNG = np.random.default_rng(0)
GROUND = RNG.integers(30, 220, (7, 12, 3), np.uint8).repeat(10, 0).repeat(10, 1)


def pattern(count: int = 16, width: int = 64, height: int = 48) -> list[NDArray[np.uint8]]:
    """Frames [H,W,3], each two pixels further to the right."""
    return [GROUND[:height, 2 * n : 2 * n + width].copy() for n in range(count)]


def video(path: Path, frames: list[NDArray[np.uint8]], fps: float = 24) -> Path:
    """An MP4 of frames, as others write it."""
    height, width = frames[0].shape[:2]
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = ffmpeg.write_frames(
        str(path), (width, height), fps=fps, quality=9, macro_block_size=1, ffmpeg_log_level="error"
    )
    writer.send(None)
    for frame in frames:
        writer.send(np.ascontiguousarray(frame))
    writer.close()
    return path


def run(*words: str) -> None:
    """ffmpeg itself."""
    program = ffmpeg.get_ffmpeg_exe()
    quiet = ["-hide_banner", "-loglevel", "error", "-nostdin", "-y"]
    subprocess.run([program, *quiet, *words], check=True, timeout=120)
