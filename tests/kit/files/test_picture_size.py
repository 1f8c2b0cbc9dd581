"""The size that the header of a file tells is that of the picture it holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from intrinsic_cli.kit.files.exr import write_exr
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.photo import read_photo
from intrinsic_cli.kit.files.picture_size import EMPTY, picture_size

PIXELS = np.random.default_rng(0).integers(0, 255, (6, 10, 3), np.uint8)
ORIENTATION = 274


def write(path: Path, orientation: int = 1) -> None:
    if path.suffix == ".exr":
        write_exr(path, PIXELS.astype(np.float32))
    elif path.name.startswith("float"):
        cv2.imwrite(str(path), PIXELS.astype(np.float32))
    else:
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        Image.fromarray(PIXELS).save(path, exif=exif)


@pytest.mark.parametrize(
    "name", ["a.png", "a.jpg", "a.webp", "a.tif", "float.tiff", "a.exr", "a.bmp", "a.gif", "a.ppm"]
)
@pytest.mark.parametrize("orientation", [1, 6])
def test_it_is_that_of_the_upright_picture(name: str, orientation: int, tmp_path: Path) -> None:
    path = tmp_path / name
    write(path, orientation)
    if path.suffix != ".png":  # EXIF of a PNG may come behind its pixels
        assert picture_size(path) == read_photo(path).pixels.shape[:2]
    else:
        assert picture_size(path) == (6, 10)


@pytest.mark.parametrize("data", [b"no picture", b"\x89PNG\r\n\x1a\n", b"II*\0", b"\xff\xd8\xff"])
def test_nobody_knows_that_of_other_files(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(data)
    assert picture_size(path) is None
    assert picture_size(tmp_path / "gone") is None
    assert picture_size(tmp_path) is None


def test_empty_files(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    assert picture_size(tmp_path / "a.png") == EMPTY
