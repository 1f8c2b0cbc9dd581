"""Layers as files hold them → arrays in linear light. Light until something is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intrinsic_cli.api import DataError
from intrinsic_cli.api.outputs import KIND_OF, KINDS, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.kit.files.layers import StoredLayer

_ARRAYS = (".npy", ".npz")


@dataclass(frozen=True, slots=True)
class LayerFile:
    """A layer on disk: linear = decode(value) · ``scale``, as a sidecar tells it. ``encoding``
    ``auto``: integers as the layer's kind is usually written, floats linear. ``array`` names it in
    a file of several arrays."""

    path: Path
    encoding: str = "auto"
    scale: float = 1.0
    array: str = ""


def read_layer_file(name: str, file: LayerFile, size: tuple[int, int]) -> tuple[Image, bool]:
    """The layer ``name`` [H,W,1 or 3] linear, brought to ``size`` (h, w), and whether that changed
    it. DataError where the file cannot be read."""
    stored = open_layer_file(name, file)
    changes = stored.codes.shape[:2] != size
    return at_size(stored, size), changes


def open_layer_file(name: str, file: LayerFile) -> StoredLayer:
    """The layer ``name`` as its file holds it: codes, or floats that are linear already. DataError
    where it cannot be read."""
    kind_name = KIND_OF.get(name, "reflectance")
    kind = KINDS[kind_name]
    codes = _load(file) if _is_array(file.path) else _decode(file, kind)
    return _stored_layer(codes, file, kind)


def at_size(layer: StoredLayer, size: tuple[int, int]) -> Image:
    """All of a layer [H,W,1 or 3] linear, brought to ``size`` (h, w)."""
    linear = layer.linear(slice(None))
    return linear if linear.shape[:2] == size else _resized(linear, size)


def _is_array(path: Path) -> bool:
    return path.suffix.lower() in _ARRAYS


def _decode(file: LayerFile, kind: Kind) -> NDArray[Any]:
    """The numbers of an image file [H,W,1 or 3], without alpha; one channel where all are equal."""
    from intrinsic_cli.kit.files.decode import decode_file
    from intrinsic_cli.kit.files.photo import split_alpha

    codes = _in_layers(file, kind)
    if codes is None:
        codes = decode_file(file.path)
    colours, _ = split_alpha(codes if codes.ndim == 3 else codes[..., None])
    gray = all(bool((row == row[:, :1]).all()) for row in colours)
    return colours[..., :1] if gray and 1 in kind.channels else colours


def _in_layers(file: LayerFile, kind: Kind) -> NDArray[Any] | None:
    """The layer of that name in an EXR of several; None where there is none."""
    from intrinsic_cli.kit.files.decode import named
    from intrinsic_cli.kit.files.exr_layers import read_exr_layer
    from intrinsic_cli.kit.files.read_bytes import read_bytes

    if not file.array or file.path.suffix.lower() != ".exr":
        return None
    with named(file.path):
        return read_exr_layer(read_bytes(file.path), file.array, kind)


def _load(file: LayerFile) -> NDArray[Any]:
    """An array [H,W], [H,W,C] or [C,H,W] as [H,W,C]."""
    import zipfile

    import numpy as np

    try:
        found = np.load(file.path, allow_pickle=False)
        values = found[file.array] if file.path.suffix.lower() == ".npz" else found
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        hint = "save it with numpy.save or savez"
        raise DataError(f"{file.path} holds no array iid can read", hint) from error
    if values.ndim == 2:
        values = values[..., None]
    if values.ndim == 3 and values.shape[2] not in (1, 3, 4):
        values = np.moveaxis(values, 0, 2)
    if values.ndim != 3 or values.shape[2] not in (1, 3, 4):
        shape = found.shape if values is found else values.shape
        message = f"{file.path} holds an array of shape {shape}, not [H,W] or [H,W,C]"
        raise DataError(message, "save one layer a file, with 1, 3 or 4 channels")
    return np.asarray(values[..., :3])


def _stored_layer(codes: NDArray[Any], file: LayerFile, kind: Kind) -> StoredLayer:
    """Numbers as a file or array holds them, and what they mean."""
    import numpy as np

    from intrinsic_cli.kit.files.encodings import encoding_of, find_encoding
    from intrinsic_cli.kit.files.layers import StoredLayer

    if codes.dtype in (np.uint8, np.uint16):
        encoding = encoding_of(kind) if _is_usual(file, kind) else find_encoding(file.encoding)
        return StoredLayer(codes, encoding.name, file.scale)
    linear = _from_float(codes, file, kind) * np.float32(file.scale)
    return StoredLayer(linear)


def _is_usual(file: LayerFile, kind: Kind) -> bool:
    """Is the file encoded as its kind usually is? Nobody writes normals in any other way."""
    return file.encoding == "auto" or kind.encoding == "vector"


def _from_float(values: NDArray[Any], file: LayerFile, kind: Kind) -> Image:
    """Light has no negative numbers; what has them is read as it is."""
    import numpy as np

    from intrinsic_cli.kit.files.photo import repair_light
    from intrinsic_cli.kit.light.colour import srgb_to_linear

    if kind.low == 0 and not _is_array(file.path):
        return repair_light(values, file.encoding)[0]
    numbers = np.asarray(values, np.float32)
    return srgb_to_linear(numbers) if file.encoding == "srgb" else numbers


def _resized(layer: Image, size: tuple[int, int]) -> Image:
    import torch

    from intrinsic_cli.kit.light.resize import resize

    planes = torch.from_numpy(layer.copy()).permute(2, 0, 1)[None]
    return resize(planes, size)[0].permute(1, 2, 0).numpy()
