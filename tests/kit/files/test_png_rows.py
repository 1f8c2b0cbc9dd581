"""PNG files written row by row are read by every reader, whatever compressed them."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from intrinsic_cli.kit.files import png_rows
from intrinsic_cli.kit.files.decode import decode

COMPRESSORS = ("as installed", "zlib alone")


@pytest.fixture(params=COMPRESSORS, autouse=True)
def _compressor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "zlib alone":
        monkeypatch.setattr(png_rows, "isal_zlib", None)


def noisy(dtype: type, channels: int) -> NDArray[Any]:
    """A ramp with grain, and rows that repeat what stood far above."""
    rng = np.random.default_rng(4)
    ramp = np.linspace(0, 200, 70)[:, None, None]
    codes = (ramp + rng.normal(0, 2, (70, 301, channels))).clip(0, 255).astype(dtype)
    codes[40:60] = codes[10:30]
    return codes


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_picture_comes_back_to_the_bit(dtype: type, channels: int) -> None:
    codes = noisy(dtype, channels)
    read = decode(written(codes))
    assert read.dtype == dtype
    assert np.array_equal(read.reshape(codes.shape), codes)


def test_pieces_of_any_height_make_the_same_picture() -> None:
    codes = noisy(np.uint8, 3)
    file = io.BytesIO()
    writer = png_rows.PngWriter(file, (70, 301), 3, 8)
    for part in (codes[:1], codes[1:33], codes[33:]):
        writer.write(part)
    writer.close()
    assert np.array_equal(decode(file.getvalue()), codes)


def test_nothing_reaches_further_back_than_the_header_says() -> None:
    codes = noisy(np.uint8, 3)
    data = b"".join(body for kind, body in chunks(written(codes)) if kind == b"IDAT")
    strict = zlib.decompressobj(wbits=0)  # as far as the header says
    rows = strict.decompress(data)
    assert strict.eof
    assert len(rows) == 70 * (1 + 301 * 3)


def test_compressing_is_worth_it() -> None:
    codes = noisy(np.uint8, 3)
    assert len(written(codes)) < 0.6 * codes.nbytes


def written(codes: NDArray[Any]) -> bytes:
    """The file."""
    file = io.BytesIO()
    png_rows.write_png_file(file, codes)
    return file.getvalue()


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The kind and the body of each."""
    place = len(png_rows.SIGNATURE)
    while place < len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        yield kind, data[place + 8 : place + 8 + length]
        place += 12 + length
