"""Transfer curves: exact, invertible, the same in numpy and torch, and by table."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.light.colour import (
    decode_codes,
    encode_codes,
    linear_to_srgb,
    luminance,
    srgb_to_linear,
)

GRID = np.linspace(0, 1, 4097)
#: sRGB codes of 0..255 and their linear light, computed by hand from IEC 61966-2-1.
KNOWN = {0: 0.0, 10: 0.0030352698, 11: 0.0033465358, 128: 0.2158605001, 188: 0.5028864580, 255: 1.0}


def test_known_codes() -> None:
    for code, linear in KNOWN.items():
        assert srgb_to_linear(np.array(code / 255)) == pytest.approx(linear, abs=1e-9)


def test_round_trip_beyond_white() -> None:
    x = np.linspace(0, 20, 1001)
    assert np.allclose(srgb_to_linear(linear_to_srgb(x)), x, rtol=1e-9)


def test_torch_agrees_with_numpy() -> None:
    for curve in (srgb_to_linear, linear_to_srgb):
        assert np.allclose(curve(torch.from_numpy(GRID)).numpy(), curve(GRID), atol=1e-12)


def test_dtype_is_kept() -> None:
    x = GRID.astype(np.float32)
    assert srgb_to_linear(x).dtype == linear_to_srgb(x).dtype == np.float32


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_tables_decode_every_code(dtype: type[np.unsignedinteger]) -> None:
    top = np.iinfo(dtype).max
    codes = np.arange(top + 1, dtype=dtype)
    assert np.allclose(decode_codes(codes, "srgb"), srgb_to_linear(codes / top), atol=1e-7)
    assert np.allclose(decode_codes(codes, "linear"), codes / top, atol=1e-7)


@pytest.mark.parametrize(("dtype", "bits"), [(np.uint8, 8), (np.uint16, 16)])
def test_encoding_undoes_decoding(dtype: type[np.unsignedinteger], bits: int) -> None:
    codes = np.arange(np.iinfo(dtype).max + 1, dtype=dtype).reshape(-1, 8, 1)
    assert np.array_equal(encode_codes(decode_codes(codes, "srgb"), bits), codes)


def test_encoding_is_within_the_nearest_code() -> None:
    linear = (GRID**2).astype(np.float32).reshape(17, 241, 1)
    error = encode_codes(linear, 8) - linear_to_srgb(linear.astype(np.float64)) * 255
    assert np.abs(error).max() <= 0.53


def test_encoding_scales_and_clips_without_touching_its_input() -> None:
    linear = np.array([-1.0, 0.0, 1.0, 2.0, 9.0], np.float32).reshape(1, 5, 1)
    kept = linear.copy()
    assert encode_codes(linear, 8, scale=2.0).ravel().tolist() == [0, 0, 188, 255, 255]
    assert np.array_equal(linear, kept)


def test_luminance() -> None:
    pixels = np.random.default_rng(0).random((5, 4, 3))
    expected = pixels @ np.array([0.2126, 0.7152, 0.0722])
    assert np.allclose(luminance(pixels, axis=2)[..., 0], expected)
    planes = torch.from_numpy(pixels).permute(2, 0, 1)[None]
    assert np.allclose(luminance(planes, axis=1)[0, 0].numpy(), expected)
    assert luminance(planes[:, :1], axis=1).shape == (1, 1, 5, 4)


@pytest.mark.parametrize("dtype", ["int8", "int32", "uint32", "float32", "bool"])
def test_other_codes_make_no_table(dtype: str) -> None:
    with pytest.raises(DataError, match=dtype):
        decode_codes(np.zeros((2, 3), dtype), "srgb")


def test_either_order_of_bytes() -> None:
    codes = np.array([0, 257, 65535], ">u2")
    assert np.allclose(decode_codes(codes, "linear"), [0, 1 / 255, 1], atol=1e-7)
