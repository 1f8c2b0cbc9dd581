"""TIFFs of floats made row by row are those that other programs make and read."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import tifffile

from intrinsic_cli.kit.files import tiff_rows
from intrinsic_cli.kit.files.exif import Exif
from intrinsic_cli.kit.files.metadata import read_metadata
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.photo import read_photo
from intrinsic_cli.kit.files.tiff_fields import ASCII, SHORT, Field, first_fields, whole
from intrinsic_cli.kit.files.tiff_rows import TiffWriter, write_tiff_file

RNG = np.random.default_rng(0)
EXIF = Exif({272: Field(ASCII, b"Pinhole 1\0")}, {34855: whole(SHORT, 400)})


def picture(height: int, width: int, channels: int) -> np.ndarray:
    return RNG.normal(0.5, 0.4, (height, width, channels)).astype(np.float32)


def written(values: np.ndarray, step: int, alpha: bool = False, exif: Exif | None = None) -> bytes:
    """In pieces of so many rows."""
    file = io.BytesIO()
    height, width, channels = values.shape
    writer = TiffWriter(file, (height, width), channels - alpha, alpha, exif or Exif())
    for top in range(0, height, step):
        writer.write(values[top : top + step])
    writer.close()
    return file.getvalue()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(1, 1), (53, 4), (50, 157), (31, 683), (9, 6000)])
def test_a_picture_is_laid_out_as_opencv_does(size: tuple[int, int], channels: int) -> None:
    values = picture(*size, channels)
    meant = cv2.imencode(".tiff", values[..., ::-1])[1].tobytes()
    found = written(values, 7)
    assert len(found) == len(meant)
    assert first_fields(found) == first_fields(meant), "and so are its pieces"
    end = 8 + values.nbytes
    assert found[:end] == meant[:end]
    file = io.BytesIO()
    write_tiff_file(file, values)
    assert file.getvalue() == found


@pytest.mark.parametrize("longest", [1 << 32, 0])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_all_readers_see_the_same(
    channels: int, longest: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A longer one becomes a BigTIFF."""
    monkeypatch.setattr(tiff_rows, "LONGEST", longest)
    values = np.abs(picture(41, 300, channels)).clip(0, 1)
    alpha = channels in (2, 4)
    path = tmp_path / "a.tiff"
    path.write_bytes(written(values, 8, alpha, EXIF))
    meant = values[..., [0, 0, 0, 1]] if channels == 2 else values
    with tifffile.TiffFile(path) as file:
        assert file.is_bigtiff == (longest == 0)
        page = file.pages[0]
        tags = [tag.code for tag in page.tags]
        assert tags == sorted(tags)
        assert page.tags[272].value == "Pinhole 1"
        assert page.tags[34665].value["ISOSpeedRatings"] == 400
        assert np.array_equal(np.atleast_3d(page.asarray()), meant)
    photo = read_photo(path)
    assert np.array_equal(photo.pixels, np.broadcast_to(meant[..., :3], (41, 300, 3)))
    assert (photo.alpha is not None) == alpha
    if photo.alpha is not None:
        assert np.array_equal(photo.alpha, meant[..., 3])
    exif = read_metadata(path.read_bytes()).exif
    assert exif.main[272] == EXIF.main[272]
    assert exif.camera[34855] == EXIF.camera[34855]
