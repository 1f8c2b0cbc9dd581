"""How integer files hold the numbers of a layer: the one table, for writing and for reading.

A sidecar names the encoding and the ``scale`` of each layer. Float files hold linear numbers as
they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.api import DataError
from intrinsic_cli.api.outputs import Kind
from intrinsic_cli.kit.files.tables import looked_up
from intrinsic_cli.kit.light.colour import brightest, decode_codes, decoding_table, encode_codes
from intrinsic_cli.kit.light.resize import bands

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

#: Pixels looked at to choose a scale: enough for a steady 99.9th percentile.
SAMPLE = 1 << 20
#: The least scale of a layer of either sign, so that numerical noise does not look like a picture.
FAINTEST = 1 / 16


@dataclass(frozen=True, slots=True)
class Encoding:
    """``encode(layer, bits, scale)`` → uint8 or uint16 codes; ``decode(codes, scale)`` → linear;
    ``scale(layer)`` is the one to use where the layer's kind has any. ``name`` is the sidecar's
    word."""

    name: str
    encode: Callable[[Image, int, float], NDArray[Any]]
    decode: Callable[[NDArray[Any], float], Image]
    scale: Callable[[Image], float]


def encoding_of(kind: Kind) -> Encoding:
    """The encoding that layers of ``kind`` have in integer files."""
    return ENCODINGS[kind.encoding]


def find_encoding(name: str) -> Encoding:
    """The encoding that a sidecar calls ``name``. DataError where there is none."""
    if name not in ENCODINGS:
        hint = "the sidecar is not one that iid wrote: delete it to read the layer unscaled"
        raise DataError(f"there is no encoding {name!r} of layers", hint)
    return ENCODINGS[name]


def for_display(layer: Image, kind: Kind, scale: float) -> Image:
    """A layer of ``kind`` as bright as in an integer file of that ``scale``, 0..1 where it does not
    clip, to be shown as light."""
    if encoding_of(kind).encode is _encode_signed:
        return np.asarray((layer / scale + 1) / 2, np.float32)
    return np.asarray(layer / scale, np.float32)


def display_scale(layer: Image) -> float:
    """The value shown as white: 1, or the layer's maximum where that is higher, but never more than
    twice what 99.9 % of the pixels stay below, so that a lone highlight clips instead of turning
    the picture black."""
    return max(1.0, _robust_top(layer)) if layer.max(initial=0.0) > 1.0 else 1.0


def signed_scale(layer: Image) -> float:
    """The magnitude shown as black or white: the largest, a lone one clipped as in
    :func:`display_scale`."""
    return max(FAINTEST, _robust_top(np.abs(layer)))


def _robust_top(layer: Image) -> float:
    """The maximum, but at most twice what 99.9 % of the pixels stay below."""
    top = float(layer.max(initial=0.0))
    if not layer.size:
        return top
    step = max(1, int((layer.shape[0] * layer.shape[1] / SAMPLE) ** 0.5))
    return min(top, beyond_most(brightest(layer[::step, ::step])))


def beyond_most(magnitudes: NDArray[np.float32]) -> float:
    """Twice what 99.9 % of the pixels, of which these are the magnitudes, stay below."""
    common = np.percentile(magnitudes, 99.9, method="lower")
    return 2 * float(common)


def _encode_srgb(layer: Image, bits: int, scale: float) -> NDArray[Any]:
    return encode_codes(layer, bits, scale, looked_up)


def _decode_srgb(codes: NDArray[Any], scale: float) -> Image:
    return _decoded(codes, "srgb", scale)


def _encode_linear(layer: Image, bits: int, scale: float) -> NDArray[Any]:
    """v / scale in 0..1."""
    return _quantise(layer, bits, gain=1 / scale, offset=0.0)


def _decode_linear(codes: NDArray[Any], scale: float) -> Image:
    return _decoded(codes, "linear", scale)


def _encode_signed(layer: Image, bits: int, scale: float) -> NDArray[Any]:
    """(v / scale + 1) / 2 in 0..1."""
    return _quantise(layer, bits, gain=1 / scale, offset=1.0)


def _decode_signed(codes: NDArray[Any], scale: float) -> Image:
    return (_decoded(codes, "linear", 1.0) * 2 - 1) * np.float32(scale)


def _decoded(codes: NDArray[Any], curve: str, scale: float) -> Image:
    """As :func:`~intrinsic_cli.kit.light.colour.decode_codes`."""
    if codes.dtype != np.uint8:
        return decode_codes(codes, curve, scale)
    table = decoding_table("uint8", curve)
    return looked_up(codes, table * np.float32(scale))


def _quantise(layer: Image, bits: int, gain: float, offset: float) -> NDArray[Any]:
    """v · gain + offset in 0..1 + offset → all codes of ``bits``, rounded and clipped; in bands of
    rows."""
    top = (1 << bits) - 1
    steps = top / (1 + offset)
    dtype = np.uint8 if bits == 8 else np.uint16
    codes = np.empty(layer.shape, dtype)
    values_in_a_row = prod(layer.shape[1:])
    for rows in bands(layer.shape[0], values_in_a_row):
        values = layer[rows] * np.float32(gain) + offset
        codes[rows] = np.clip(values * steps + 0.5, 0, top)
    return codes


def _one(layer: Image) -> float:
    """Unit vectors need no scale."""
    return 1.0


#: Every encoding by its name, and by the kinds' word for it where that differs.
ENCODINGS = {
    "srgb": Encoding("srgb", _encode_srgb, _decode_srgb, display_scale),
    "linear": Encoding("linear", _encode_linear, _decode_linear, display_scale),
    "signed": Encoding("signed", _encode_signed, _decode_signed, signed_scale),
    "normals": Encoding("normals", _encode_signed, _decode_signed, _one),
}
ENCODINGS["vector"] = ENCODINGS["normals"]
