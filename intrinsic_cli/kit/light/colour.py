"""Transfer curves and luminance. Linear light is the house's inside; sRGB is how most files store
it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import prod
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.light.resize import bands

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

Values = TypeVar("Values", NDArray[Any], Tensor)

#: Rec. 709 / sRGB weights of linear red, green and blue.
LUMINANCE = (0.2126, 0.7152, 0.0722)
LUT_SIZE = 65536


def srgb_to_linear(x: Values) -> Values:
    """sRGB code in 0..1 → linear light, IEC 61966-2-1. Any shape; negatives follow the line at
    0."""
    if isinstance(x, Tensor):
        return torch.where(x <= 0.04045, x / 12.92, ((x.clamp(min=0.0) + 0.055) / 1.055) ** 2.4)
    return np.where(x <= 0.04045, x / 12.92, ((np.maximum(x, 0) + 0.055) / 1.055) ** 2.4).astype(
        x.dtype, copy=False
    )


def linear_to_srgb(x: Values) -> Values:
    """Linear light → sRGB code in 0..1, the inverse of :func:`srgb_to_linear`. Any shape."""
    if isinstance(x, Tensor):
        return torch.where(
            x <= 0.0031308, x * 12.92, 1.055 * x.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
        )
    curve = 1.055 * np.maximum(x, 0.0031308) ** (1 / 2.4) - 0.055
    return np.where(x <= 0.0031308, x * 12.92, curve).astype(x.dtype, copy=False)


def luminance(x: Values, axis: int) -> Values:
    """Linear RGB along ``axis`` (length 3) → luminance, that axis kept with length 1. One channel
    passes through."""
    if x.shape[axis] == 1:
        return x
    red, green, blue = (take(x, index, axis) for index in range(3))
    of_red, of_green, of_blue = LUMINANCE
    if isinstance(x, Tensor):  # a factor and a sum at once, in memory at hand
        return (of_red * red).add_(green, alpha=of_green).add_(blue, alpha=of_blue)
    return of_red * red + of_green * green + of_blue * blue


def take(x: Values, index: int, axis: int) -> Values:
    """Slice ``index`` of ``axis``, the axis kept with length 1: a view."""
    where = [slice(None)] * x.ndim
    where[axis] = slice(index, index + 1)
    return x[tuple(where)]


def brightest(image: Image) -> Image:
    """[H,W,C] → the largest channel of each pixel, [H,W]."""
    # Channel by channel: numpy's maximum over an axis of three takes twenty times as long.
    top = image[..., 0]
    for channel in range(1, image.shape[2]):
        top = np.maximum(top, image[..., channel])
    return top


def decode_codes(codes: NDArray[Any], encoding: str, scale: float = 1.0) -> Image:
    """uint8 or uint16 codes → float32 linear in 0..``scale``, by table (``encoding``: ``srgb`` or
    ``linear``). DataError for other types, whose tables would not fit into memory."""
    if codes.dtype.name not in ("uint8", "uint16"):
        message = f"codes of {codes.dtype.name} cannot be decoded"
        raise DataError(message, "codes have 8 or 16 bits, without sign")
    table = decoding_table(codes.dtype.name, encoding) * np.float32(scale)
    linear = np.empty(codes.shape, np.float32)
    values_in_a_row = prod(codes.shape[1:])
    for rows in bands(codes.shape[0], values_in_a_row):
        linear[rows] = table.take(codes[rows], mode="wrap")
    return linear


def taken(codes: NDArray[Any], table: NDArray[Any]) -> NDArray[Any]:
    """``table[codes]``, where no code is out of range."""
    # A mode that does not look for such is twice as fast.
    return table.take(codes, mode="wrap")


def encode_codes(
    x: Image,
    bits: int,
    scale: float = 1.0,
    look_up: Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]] = taken,
) -> NDArray[Any]:
    """Linear 0..``scale`` (clipped) → sRGB codes of 8 bits (by table, within 0.53 of a code) or 16
    bits (exact).

    ``x`` is ``[H,W,C]``, worked on in bands of rows. ``look_up(codes, table)`` reads the table.
    """
    dtype = np.uint8 if bits == 8 else np.uint16
    codes = np.empty(x.shape, dtype)
    gain = np.float32(1.0 / scale)
    values_in_a_row = prod(x.shape[1:])
    for rows in bands(x.shape[0], values_in_a_row):
        values = x[rows] * gain
        np.clip(values, 0.0, 1.0, out=values)
        if bits == 16:
            codes[rows] = linear_to_srgb(values) * 65535 + 0.5
        else:
            values *= LUT_SIZE - 1
            values += 0.5
            codes[rows] = look_up(values.astype(np.uint16), _encoding_table())
    return codes


@cache
def decoding_table(dtype: str, encoding: str) -> Image:
    """The linear light 0..1 of every code of ``uint8`` or ``uint16``, [256] or [65536]."""
    top = np.iinfo(dtype).max
    codes = np.arange(top + 1, dtype=np.float64) / top
    return (srgb_to_linear(codes) if encoding == "srgb" else codes).astype(np.float32)


@cache
def _encoding_table() -> NDArray[np.uint8]:
    linear = np.arange(LUT_SIZE, dtype=np.float64) / (LUT_SIZE - 1)
    return (linear_to_srgb(linear) * 255 + 0.5).astype(np.uint8)
