"""Layers → image files.

Float formats hold linear values as they are. Integer formats hold codes, whose encoding follows
from the layer's kind (see :mod:`~intrinsic_cli.kit.files.encodings`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.api import DataError
from intrinsic_cli.api.outputs import FACTORS, SUMMANDS, Kind
from intrinsic_cli.kit.files.containers import Marks, marked
from intrinsic_cli.kit.files.encodings import encoding_of, find_encoding
from intrinsic_cli.kit.files.exif import Exif
from intrinsic_cli.kit.files.exr import clipped_share, write_exr
from intrinsic_cli.kit.files.exr_layers import write_exr_layers
from intrinsic_cli.kit.files.fine_codes import encode_finely
from intrinsic_cli.kit.files.formats import LAYER_SUFFIXES
from intrinsic_cli.kit.files.jpeg_rows import PARAMS as JPEG
from intrinsic_cli.kit.files.jpeg_rows import decode
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.png_rows import write_png_file
from intrinsic_cli.kit.files.tiff_rows import write_tiff_file
from intrinsic_cli.kit.light.resize import bands

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

#: Pixels that tell how well layers rebuild a photo; a few bright ones may make most of the error.
MEASURED = 1 << 21
#: What a photo is rebuilt from.
PARTS = frozenset([*FACTORS, "residual", *SUMMANDS])


@dataclass(frozen=True, slots=True)
class StoredLayer:
    """A layer as its file holds it: ``codes`` [H,W,C], their ``encoding`` (a name in
    :data:`~intrinsic_cli.kit.files.encodings.ENCODINGS`) and ``scale``. ``clipped`` is the share of
    values that were too large for the format."""

    codes: NDArray[Any]
    encoding: str = "linear"
    scale: float = 1.0
    clipped: float = 0.0

    def linear(self, rows: slice) -> Image:
        """What a reader gets back from the file, in linear light, for some rows."""
        codes = self.codes[rows]
        if codes.dtype.kind == "f":
            return codes.astype(np.float32, copy=False)
        return find_encoding(self.encoding).decode(codes, self.scale)


def write_layer(
    path: Path,
    layer: Image,
    kind: Kind,
    form: str,
    alpha: Image | None = None,
    exif: Exif | None = None,
    scale: float | None = None,
) -> StoredLayer:
    """Write ``layer`` [H,W,1 or 3] linear as ``form`` (see ``kit.files.formats``), with ``alpha``
    [H,W] where it can be. With ``exif``, even an empty one, files that can hold it do, and codes of
    sRGB are said to be such; with None they say nothing. ``scale`` is that of integer codes, None
    the layer's own."""
    if form == "exr":
        return StoredLayer(write_exr(path, layer, alpha), clipped=clipped_share(layer))
    if form == "exr32":
        return StoredLayer(write_exr(path, layer, alpha, bits=32))
    if form == "tiff":
        return _write_tiff(path, layer, alpha, exif)
    stored = quantise(layer, kind, 16 if form == "png16" else 8, scale)
    marks = Marks() if exif is None else Marks(exif, stored.encoding == "srgb")
    if form in ("png", "png16"):
        with path.open("wb") as file:
            write_png_file(file, with_alpha(stored.codes, alpha), marks)
        return stored
    return write_lossy(path, stored, form, alpha, marks)


def _write_tiff(path: Path, layer: Image, alpha: Image | None, exif: Exif | None) -> StoredLayer:
    with path.open("wb") as file:
        write_tiff_file(file, with_alpha(layer, alpha), alpha is not None, exif or Exif())
    return StoredLayer(layer)


def write_lossy(
    path: Path, stored: StoredLayer, form: str, alpha: Image | None, marks: Marks
) -> StoredLayer:
    """Write a layer whose codes are settled as JPEG or WebP; of these, only WebP has alpha. What
    loss has left."""
    if form == "jpg":
        alpha = None
    codes = _arrange(stored.codes, alpha)
    data = _compress(LAYER_SUFFIXES[form], codes, LOSSY[form])
    _save(path, marked(data, form, marks))
    left = decode(data, gray=form == "jpg" and stored.codes.shape[2] == 1)
    return StoredLayer(left, stored.encoding, stored.scale)


def write_npz(
    path: Path, layers: Mapping[str, Image], alpha: Image | None = None
) -> dict[str, StoredLayer]:
    """Write all ``layers`` [H,W,C] (and ``alpha``) as float32 arrays of one file."""
    arrays: dict[str, Any] = {**layers}
    if alpha is not None:
        arrays["alpha"] = alpha
    with path.open("wb") as file:
        # NumPy 1 takes allow_pickle for one more array; numbers need no pickling.
        np.savez(file, **arrays)
    return {name: StoredLayer(layer) for name, layer in layers.items()}


def write_multilayer(
    path: Path,
    layers: Mapping[str, tuple[Kind, Image]],
    photo: Image | None,
    bits: int,
    alphas: Mapping[str, Image],
) -> dict[str, StoredLayer]:
    """Write all ``layers`` [H,W,C] and the ``photo`` as one EXR (see ``kit.files.exr_layers``)."""
    numbers = write_exr_layers(path, layers, photo, bits, alphas)
    stored = {}
    for name, (_, layer) in layers.items():
        clipped = clipped_share(layer) if bits == 16 else 0.0
        stored[name] = StoredLayer(numbers[name], clipped=clipped)
    return stored


def quantise(layer: Image, kind: Kind, bits: int, scale: float | None = None) -> StoredLayer:
    """The integer codes a layer of ``kind`` is stored as; ``scale`` None is its own."""
    encoding = encoding_of(kind)
    if bits == 8:
        codes, own = encode_finely(layer, kind, scale)
        return StoredLayer(codes, encoding.name, own)
    if scale is None:
        scale = encoding.scale(layer) if kind.scaled else 1.0
    return StoredLayer(encoding.encode(layer, bits, scale), encoding.name, scale)


def rebuild_error(photo: Image, layers: Mapping[str, StoredLayer]) -> float | None:
    """RMSE between ``photo`` [H,W,3] and what :func:`rebuild` makes of the stored layers, in one
    of :func:`row_step` rows; None where it cannot."""
    parts = {name: layer for name, layer in layers.items() if name in PARTS}
    total = RebuildError()
    height, width = photo.shape[:2]
    step = row_step(height, width)
    for rows in bands(height, width):
        some = every(step, rows)
        there = {name: layer.linear(some) for name, layer in parts.items()}
        total.add(photo[some], there)
    return total.value


def row_step(height: int, width: int, pixels: int = MEASURED) -> int:
    """Of every so many rows of a photo one tells how well its layers rebuild it, so that at least
    so many ``pixels`` do; an odd number, as JPEG has squares of eight rows."""
    return (max(1, height * width // pixels) + 1) // 2 * 2 - 1


def every(step: int, rows: slice) -> slice:
    """The rows of a photo that are multiples of ``step``, between two rows."""
    first = rows.start + -rows.start % step
    return slice(first, rows.stop, step)


@dataclass(slots=True)
class RebuildError:
    """The error with which layers rebuild a photo, summed up."""

    total: float = 0.0
    count: int = 0
    known: bool = True

    def add(self, pixels: Image, layers: Mapping[str, Image]) -> None:
        """Some rows [h,W,3], and the :data:`PARTS` there as readers get them back."""
        rebuilt = rebuild(layers)
        if rebuilt is None:
            self.known = False
            return
        error = rebuilt - pixels
        self.total += float(np.vdot(error, error))
        self.count += pixels.size

    @property
    def value(self) -> float | None:
        """The root of its mean square, None where it cannot be known."""
        return float((self.total / max(1, self.count)) ** 0.5) if self.known else None


def rebuild(layers: Mapping[str, Image]) -> Image | None:
    """The photo made of its layers [H,W,C]: albedo · shading (+ residual), or transmission +
    reflection (+ flare). None unless both factors, or the first two summands, are there."""
    names = set(layers)
    if names.issuperset(FACTORS):
        albedo, shading = (layers[name] for name in FACTORS)
        rebuilt = albedo * shading
        if "residual" in layers:
            rebuilt = rebuilt + layers["residual"]
        return rebuilt
    if names.issuperset(SUMMANDS[:2]):
        summands = [layers[name] for name in SUMMANDS if name in layers]
        return np.asarray(sum(summands), np.float32)
    return None


def _arrange(values: NDArray[Any], alpha: Image | None) -> NDArray[Any]:
    """[H,W,C] red first → what OpenCV writes: gray or BGR, or BGRA with ``alpha`` in the values'
    own type."""
    if alpha is None and values.shape[2] == 1:
        return values[..., 0]
    if alpha is None:
        return cv2.cvtColor(values, cv2.COLOR_RGB2BGR)  # type: ignore[no-any-return]  # untyped
    joined = np.empty((*values.shape[:2], 4), values.dtype)
    joined[..., :3] = values[..., ::-1]
    top = float(np.iinfo(values.dtype).max)
    joined[..., 3] = alpha * top + 0.5
    return joined


def with_alpha(codes: NDArray[Any], alpha: Image | None) -> NDArray[Any]:
    """[h,W,C] with ``alpha`` as the last channel, in the type of the codes."""
    if alpha is None:
        return codes
    if codes.dtype.kind == "f":
        return np.dstack([codes, alpha.astype(codes.dtype, copy=False)])
    opaque = alpha * float(np.iinfo(codes.dtype).max) + 0.5
    return np.dstack([codes, opaque.astype(codes.dtype)])


def _compress(suffix: str, picture: NDArray[Any], params: tuple[int, ...] = ()) -> memoryview:
    """The bytes of an image file. DataError where the picture is too large for its format."""
    try:
        done, data = cv2.imencode(suffix, picture, list(params))
    except cv2.error:
        done = False
    if not done:
        size = f"{picture.shape[1]}x{picture.shape[0]}"
        form = suffix.removeprefix(".")
        hint = "try --format png or tiff"
        raise DataError(f"a picture of {size} pixels does not fit into {form}", hint)
    return memoryview(data)


def _save(path: Path, pieces: Iterable[bytes | memoryview]) -> None:
    with path.open("wb") as file:
        file.writelines(pieces)


LOSSY = {
    "jpg": JPEG,
    "webp": (cv2.IMWRITE_WEBP_QUALITY, 95),
}
