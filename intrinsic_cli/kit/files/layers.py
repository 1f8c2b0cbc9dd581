"""Layers → image files.

Integer formats hold sRGB codes, for looking at, with a ``scale`` such that ``linear = decode(code)
· scale``; float formats hold linear values as they are. Normals are stored as (n + 1) / 2 in
integer formats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.api import DataError
from intrinsic_cli.api.outputs import FACTORS, SUMMANDS
from intrinsic_cli.kit.files.exr import write_exr
from intrinsic_cli.kit.files.formats import LAYER_SUFFIXES
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.light.colour import decode_codes, encode_codes
from intrinsic_cli.kit.light.resize import bands

Layer = NDArray[np.float32]

#: Pixels looked at to choose a scale: enough for a steady 99.9th percentile.
SAMPLE = 1 << 20
#: What a photo is rebuilt from.
PARTS = frozenset([*FACTORS, "residual", *SUMMANDS])


@dataclass(frozen=True, slots=True)
class Stored:
    """A layer as its file holds it: ``codes`` [H,W,C], their ``encoding`` (srgb, linear, normals)
    and ``scale``."""

    codes: NDArray[Any]
    encoding: str = "linear"
    scale: float = 1.0

    def linear(self, rows: slice) -> Layer:
        """What a reader gets back from the file, in linear light, for some rows."""
        codes = self.codes[rows]
        if codes.dtype.kind == "f":
            return codes.astype(np.float32, copy=False)
        if self.encoding == "normals":
            return decode_codes(codes, "linear") * 2 - 1
        return decode_codes(codes, self.encoding) * np.float32(self.scale)


def write_layer(
    path: Path, name: str, layer: Layer, form: str, alpha: NDArray[np.float32] | None = None
) -> Stored:
    """Write ``layer`` [H,W,1 or 3] linear as ``form`` (see ``kit.formats``), with ``alpha`` [H,W]
    where it can be."""
    if form == "exr":
        return Stored(write_exr(path, layer, alpha))
    if form == "tiff":
        _save(path, ".tiff", _with_alpha(layer, alpha))
        return Stored(layer)
    stored = quantise(name, layer, 16 if form == "png16" else 8)
    if form in ("png", "png16"):
        _save(path, ".png", _with_alpha(stored.codes, alpha), PNG_PARAMS)
        return stored
    data = _save(
        path,
        LAYER_SUFFIXES[form],
        _with_alpha(stored.codes, alpha if form == "webp" else None),
        LOSSY[form],
    )
    return Stored(
        _reread(data, gray=form == "jpg" and layer.shape[2] == 1), stored.encoding, stored.scale
    )


def write_npz(
    path: Path, layers: Mapping[str, Layer], alpha: NDArray[np.float32] | None = None
) -> dict[str, Stored]:
    """Write all ``layers`` [H,W,C] (and ``alpha``) as float32 arrays of one file."""
    masks = {} if alpha is None else {"alpha": alpha}
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **layers, **masks)
    return {name: Stored(layer) for name, layer in layers.items()}


def quantise(name: str, layer: Layer, bits: int) -> Stored:
    """The integer codes ``layer`` is stored as."""
    if name == "normals":
        top = (1 << bits) - 1
        codes = np.clip((layer + 1) * (top / 2) + 0.5, 0, top).astype(
            np.uint8 if bits == 8 else np.uint16
        )
        return Stored(codes, "normals")
    scale = display_scale(layer)
    return Stored(encode_codes(layer, bits, scale), "srgb", scale)


def display_scale(layer: Layer) -> float:
    """The value shown as white: 1, or the layer's maximum where that is higher, but never more than
    twice what 99.9 % of the pixels stay below, so that a lone highlight clips instead of turning
    the picture black."""
    top = float(layer.max(initial=0.0))
    if top <= 1.0:
        return 1.0
    step = max(1, int((layer.shape[0] * layer.shape[1] / SAMPLE) ** 0.5))
    brightness = layer[::step, ::step].max(axis=2)
    common = float(np.percentile(brightness, 99.9, method="lower"))
    return max(1.0, min(top, 2 * common))


def rebuild_error(photo: Layer, layers: Mapping[str, Stored]) -> float | None:
    """RMSE between ``photo`` [H,W,3] and what :func:`rebuild` makes of the stored layers; None
    where it cannot."""
    total = 0.0
    for rows in bands(*photo.shape[:2]):
        rebuilt = rebuild(
            {name: layer.linear(rows) for name, layer in layers.items() if name in PARTS}
        )
        if rebuilt is None:
            return None
        error = rebuilt - photo[rows]
        total += float(np.vdot(error, error))
    return float((total / photo.size) ** 0.5)


def rebuild(layers: Mapping[str, Layer]) -> Layer | None:
    """The photo made of its layers [H,W,C]: albedo · shading (+ residual), or transmission +
    reflection (+ flare). None unless both factors, or the first two summands, are there."""
    if all(name in layers for name in FACTORS):
        return layers["albedo"] * layers["shading"] + layers.get("residual", np.float32(0))
    if all(name in layers for name in SUMMANDS[:2]):
        return np.asarray(sum(layers[name] for name in SUMMANDS if name in layers), np.float32)
    return None


def _with_alpha(values: NDArray[Any], alpha: NDArray[np.float32] | None) -> NDArray[Any]:
    """[H,W,C] red first → what OpenCV writes: gray or BGR, or BGRA with ``alpha`` in the values'
    own type."""
    if alpha is None:
        return values[..., 0] if values.shape[2] == 1 else cv2.cvtColor(values, cv2.COLOR_RGB2BGR)
    top = 1.0 if values.dtype.kind == "f" else float(np.iinfo(values.dtype).max)
    joined = np.empty((*values.shape[:2], 4), values.dtype)
    joined[..., :3] = values[..., ::-1]
    joined[..., 3] = alpha * top + (0.0 if top == 1.0 else 0.5)
    return joined


def _save(
    path: Path, suffix: str, picture: NDArray[Any], params: tuple[int, ...] = ()
) -> NDArray[np.uint8]:
    try:
        done, data = cv2.imencode(suffix, picture, list(params))
    except cv2.error:
        done = False
    if not done:
        size = f"{picture.shape[1]}x{picture.shape[0]}"
        raise DataError(
            f"a picture of {size} pixels does not fit into {suffix[1:]}", "try --format png or tiff"
        )
    path.write_bytes(data)
    return data  # type: ignore[no-any-return]  # cv2 is untyped here


def _reread(data: NDArray[np.uint8], gray: bool) -> NDArray[np.uint8]:
    """What loss has left; WebP has no gray, and gives gray back in slightly different red, green
    and blue."""
    picture = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE if gray else cv2.IMREAD_COLOR)
    return picture[..., None] if gray else picture[..., ::-1]  # type: ignore[no-any-return]  # as above


# Level 1, run-length, left filter: on 12 megapixels 0.3 s instead of the 0.8 s of deflate, and no
# larger on photos.
PNG_PARAMS = (
    *(cv2.IMWRITE_PNG_COMPRESSION, 1),
    *(cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE),
)
LOSSY = {
    "jpg": (
        *(cv2.IMWRITE_JPEG_QUALITY, 95),
        *(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
    ),
    "webp": (cv2.IMWRITE_WEBP_QUALITY, 95),
}
