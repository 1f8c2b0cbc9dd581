"""JPEGs written in pieces hold the pixels of those written whole."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files.containers import Marks
from intrinsic_cli.kit.files.exif import Exif
from intrinsic_cli.kit.files.jpeg_rows import JpegWriter, decode, encode
from intrinsic_cli.kit.files.opencv import cv2

RNG = np.random.default_rng(4)


def picture(height: int, width: int, channels: int) -> np.ndarray:
    codes = RNG.integers(0, 256, (7, 9, channels), np.uint8)
    large = cv2.resize(codes, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(large.reshape(height, width, channels))


def in_pieces(codes: np.ndarray, rows: int, marks: Marks) -> bytes:
    file = io.BytesIO()
    writer = JpegWriter(file, codes.shape[:2], marks)
    for top in range(0, len(codes), rows):
        writer.write(codes[top : top + rows])
    writer.close()
    return file.getvalue()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("size", "rows"), [((203, 157), 8), ((203, 157), 64), ((61, 300), 64)])
def test_pixels_are_those_of_the_whole(size: tuple[int, int], rows: int, channels: int) -> None:
    codes = picture(*size, channels)
    gray = channels == 1
    whole = decode(encode(codes), gray)
    data = in_pieces(codes, rows, Marks())
    assert np.array_equal(decode(memoryview(data), gray), whole)
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == size[::-1]
        assert np.array_equal(np.asarray(image).reshape(codes.shape), whole)
    assert len(data) < 1.1 * len(encode(codes)) + 200


def test_marks_are_kept() -> None:
    data = in_pieces(picture(40, 50, 3), 16, Marks(Exif(), srgb=True))
    with Image.open(io.BytesIO(data)) as image:
        assert "icc_profile" in image.info
        image.load()


def test_some_pictures_are_too_large() -> None:
    with pytest.raises(DataError, match="does not fit into jpg"):
        JpegWriter(io.BytesIO(), (10, 70_000))
    with pytest.raises(ValueError, match="too large"):
        JpegWriter(io.BytesIO(), (8_000, 8_000)).write(np.zeros((8_000, 8_000, 1), np.uint8))
