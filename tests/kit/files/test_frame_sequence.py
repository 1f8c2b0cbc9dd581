"""Numbered image files → the frames of a shot."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files.frame_sequence import Reading, open_sequence
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.photo import read_photo

GROUND = np.random.default_rng(0).integers(0, 65536, (24, 60, 3)).astype(np.uint16)


def frames(folder: Path, numbers: list[int], suffix: str = ".png") -> Path:
    """16-bit pictures of a pattern that moves; the pattern of their names."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        codes = GROUND[:, number % 20 : number % 20 + 32]
        light = codes.astype(np.float32) / 65535 if suffix == ".hdr" else codes
        assert cv2.imwrite(str(folder / f"a.{number:04d}{suffix}"), light)
    return folder / f"a.%04d{suffix}"


@pytest.mark.parametrize(
    ("suffix", "bits", "encoding"),
    [(".png", 16, "srgb"), (".tif", 16, "srgb"), (".hdr", 32, "linear")],
)
def test_frames_are_the_photos_that_they_are(
    tmp_path: Path, suffix: str, bits: int, encoding: str
) -> None:
    clip = open_sequence(frames(tmp_path, [7, 8, 9, 10], suffix))
    assert (clip.size, clip.count, clip.rate, clip.notes) == ((24, 32), 4, 24, ())
    assert (clip.bits, clip.encoding) == (bits, encoding)
    read = list(clip.frames())
    assert [frame.index for frame in read] == [0, 1, 2, 3]
    for frame in read:
        assert frame.photo is not None
        whole = read_photo(tmp_path / f"{clip.stem(frame.index)}{suffix}")
        assert np.array_equal(frame.photo.pixels, whole.pixels)
    some = list(clip.frames(1, 2))
    assert [frame.index for frame in some] == [1, 3]
    assert clip.stem(3) == "a.0010"


@pytest.mark.parametrize(
    ("fps", "rate"), [(None, 24), (23.976, Fraction(24000, 1001)), (12.5, Fraction(25, 2))]
)
def test_the_rate_is_what_is_meant(tmp_path: Path, fps: float | None, rate: Fraction) -> None:
    assert open_sequence(frames(tmp_path, [1, 2]), fps).rate == rate


@pytest.mark.parametrize(
    ("numbers", "count", "notes"),
    [
        ([1, 2, 4], 4, ("frame 3 is missing",)),
        ([1, 2, 5, 6, 7, 9], 9, ("frames 3-4, 8 are missing",)),
        ([10, 20, 30, 50], 5, ("frame 40 is missing",)),
        ([0, 2, 4], 3, ()),
        ([7], 1, ()),
    ],
)
def test_what_is_missing_is_named(
    tmp_path: Path, numbers: list[int], count: int, notes: tuple[str, ...]
) -> None:
    clip = open_sequence(frames(tmp_path, numbers))
    assert (clip.count, clip.notes) == (count, notes)
    read = [frame for frame in clip.frames() if frame.photo is not None]
    assert [clip.stem(frame.index) for frame in read] == [f"a.{n:04d}" for n in numbers]


def test_numbers_that_tell_the_time_count_nothing(tmp_path: Path) -> None:
    clip = open_sequence(frames(tmp_path, [1200, 1205, 1317, 1601]))
    assert clip.count == 4
    assert "numbers leap" in clip.notes[0]


def test_a_frame_that_is_broken_or_of_another_size_is_lost(tmp_path: Path) -> None:
    pattern = frames(tmp_path, [1, 2, 3, 4])
    for number in (1, 3):
        file = tmp_path / f"a.{number:04d}.png"
        file.write_bytes(file.read_bytes()[:200])
    Image.new("RGB", (9, 5)).save(tmp_path / "a.0004.png")
    clip = open_sequence(pattern)
    assert clip.size == (24, 32), "that of the first frame that can be read"
    read = list(clip.frames())
    assert [frame.photo is None for frame in read] == [True, False, True, True]
    assert "a.0003.png is left out: the image is truncated" in read[2].trouble
    assert read[3].trouble == "a.0004.png is left out: it has 9x5 pixels, not 32x24"


def test_none_that_can_be_read_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.0001.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match="none of its frames can be read: ") as caught:
        open_sequence(tmp_path / "a.%04d.png")
    assert caught.value.hint
    with pytest.raises(DataError, match=r"no frames called b\.%d\.png"):
        open_sequence(tmp_path / "b.%d.png")


def test_files_are_read_as_asked(tmp_path: Path) -> None:
    pattern = frames(tmp_path, [1, 2])
    linear = open_sequence(pattern, reading=Reading("linear"))
    first = next(linear.frames()).photo
    assert linear.encoding == "linear"
    assert first is not None
    assert np.array_equal(first.pixels, read_photo(tmp_path / "a.0001.png", "linear").pixels)
    with pytest.raises(DataError, match="more than are allowed"):
        open_sequence(pattern, reading=Reading(pixels=100))
