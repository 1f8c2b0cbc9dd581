"""Little pictures of 8, 16 and 32 bits, the files made of them, and what their photos must be."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.photo import Photo
from intrinsic_cli.kit.light.colour import srgb_to_linear

RNG = np.random.default_rng(0)
SIZE = (23, 31)
DEEP = RNG.integers(0, 65536, (*SIZE, 4)).astype(np.uint16)
FLAT = (DEEP >> 8).astype(np.uint8)
REAL = RNG.random((*SIZE, 3)).astype(np.float32) * 3


def encode(suffix: str, codes: NDArray[Any]) -> bytes:
    """By OpenCV, from red-first codes."""
    swapped = codes if codes.ndim == 2 else codes[..., [2, 1, 0, 3][: codes.shape[2]]]
    return bytes(cv2.imencode(suffix, swapped)[1].tobytes())


def save(image: Image.Image, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def linear(codes: NDArray[Any]) -> NDArray[Any]:
    return srgb_to_linear(codes / np.iinfo(codes.dtype).max)


def check(photo: Photo, codes: NDArray[Any], bits: int, atol: float = 1e-6) -> None:
    colours = codes if codes.ndim == 3 else codes[..., None].repeat(3, axis=2)
    assert photo.pixels.dtype == np.float32
    assert photo.pixels.shape == colours[..., :3].shape
    assert np.allclose(photo.pixels, linear(colours[..., :3]), atol=atol)
    assert (photo.encoding, photo.bits) == ("srgb", bits)
