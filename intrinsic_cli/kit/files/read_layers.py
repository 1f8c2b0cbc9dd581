"""Layers as files hold them → arrays in linear light."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intrinsic_cli.api import DataError

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image


@dataclass(frozen=True, slots=True)
class LayerFile:
    """A layer on disk: linear = decode(value) · ``scale``. ``array`` names it in a file of several
    arrays."""

    path: Path
    encoding: str = "auto"
    scale: float = 1.0
    array: str = ""


_FLOAT_NORMALS = (".exr", ".tiff", ".tif", ".pfm")


def read_stored(name: str, stored: LayerFile, size: tuple[int, int]) -> tuple[Image, bool]:
    """The layer ``name`` [H,W,1 or 3] linear, brought to ``size`` (h, w), and whether that changed
    it.

    Integers are sRGB and floats linear unless ``stored`` says otherwise. Normals are -1..1 in float
    files and (n + 1) / 2 in integer ones. DataError where the file cannot be read."""
    import numpy as np

    layer = _read(name, stored)
    layer = (layer if layer.ndim == 3 else layer[..., None])[..., :3]
    layer = np.asarray(layer * np.float32(stored.scale), np.float32)
    return (layer, False) if layer.shape[:2] == size else (_resized(layer, size), True)


def _read(name: str, stored: LayerFile) -> Image:
    from intrinsic_cli.kit.data.layer_files import read_layer

    if stored.path.suffix.lower() in (".npy", ".npz"):
        return _decoded(_load(stored), stored.encoding)
    if name == "normals":
        return _normals(stored.path)
    return read_layer(stored.path, stored.encoding)


def _load(stored: LayerFile) -> Any:
    """An array [H,W], [H,W,C] or [C,H,W]."""
    import zipfile

    import numpy as np

    try:
        found = np.load(stored.path, allow_pickle=False)
        values = found[stored.array] if stored.path.suffix.lower() == ".npz" else found
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{stored.path} holds no array iid can read", "save it with numpy.save or savez"
        ) from error
    if values.ndim not in (2, 3) or (
        values.ndim == 3 and not {values.shape[0], values.shape[2]} & {1, 3, 4}
    ):
        raise DataError(
            f"{stored.path} holds an array of shape {values.shape}, not [H,W] or [H,W,C]"
        )
    return (
        values.transpose(1, 2, 0)
        if values.ndim == 3 and values.shape[2] not in (1, 3, 4)
        else values
    )


def _decoded(values: Any, encoding: str) -> Image:
    """Numbers of an array: integers as codes of an image, floats linear unless told otherwise."""
    import numpy as np

    from intrinsic_cli.kit.light.colour import decode_codes, srgb_to_linear

    if values.dtype in (np.uint8, np.uint16):
        return decode_codes(values, "srgb" if encoding == "auto" else encoding)
    real = np.asarray(values, np.float32)
    return srgb_to_linear(real) if encoding == "srgb" else real


def _normals(path: Path) -> Image:
    """Photos have no negative light, normals do: float files are read as they are."""
    import numpy as np

    from intrinsic_cli.kit.files.exr import read_exr
    from intrinsic_cli.kit.files.opencv import cv2
    from intrinsic_cli.kit.files.photo import read_photo

    data = path.read_bytes()
    if path.suffix.lower() == ".exr":
        return read_exr(data)
    codes = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if path.suffix.lower() in _FLOAT_NORMALS and codes is not None and codes.dtype.kind == "f":
        return np.asarray(codes[..., 2::-1], np.float32)
    return read_photo(path, "linear").pixels * 2 - 1


def _resized(layer: Image, size: tuple[int, int]) -> Image:
    import torch

    from intrinsic_cli.kit.light.resize import resize

    planes = resize(torch.from_numpy(layer.copy()).permute(2, 0, 1)[None], size)
    return planes[0].permute(1, 2, 0).numpy()
