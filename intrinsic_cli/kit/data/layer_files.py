"""What the readers of real datasets share: reading the numbers of files, and naming those that are
missing or do not fit together."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.data.missing_files import MissingFilesError
from intrinsic_cli.kit.files.photo import Photo, read_photo

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intrinsic_cli.api import Source
    from intrinsic_cli.api.outputs import Image


def read_layer(path: Path, encoding: str = "linear") -> Image:
    """A layer or photo: [H,W,3], or [H,W,1] where all channels are equal; integers become 0..1.

    ``encoding`` as in :func:`~intrinsic_cli.kit.files.photo.read_photo`. DataError if unreadable.
    """
    pixels = read_photo(path, encoding).pixels
    red, green, blue = np.moveaxis(pixels, -1, 0)
    if np.array_equal(red, green) and np.array_equal(red, blue):
        return pixels[..., :1].copy()
    return pixels


def read_mask(path: Path) -> NDArray[np.bool_]:
    """[H,W], True where any channel of the file's numbers is brighter than half."""
    return np.asarray((read_photo(path, "linear").pixels > 0.5).any(-1))


def visible(photo: Photo) -> NDArray[np.bool_]:
    """[H,W], False where the photo is transparent."""
    if photo.alpha is None:
        return np.ones(photo.pixels.shape[:2], bool)
    return np.asarray(photo.alpha > 0.5)


def read_encoding(sidecar: Path, layer: str) -> tuple[str, float]:
    """How the sidecar says that a layer is encoded, and its scale; ``auto`` and 1 where it says
    nothing. DataError if it is no sidecar."""
    try:
        layers = json.loads(sidecar.read_text(encoding="utf-8")).get("layers", {})
        told = layers.get(layer, {})
        return str(told.get("encoding", "auto")), float(told.get("scale", 1.0))
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        message = f"{sidecar} is not a sidecar iid understands"
        raise DataError(message, "delete it to read the layers unscaled") from error


def require_files(
    kind: str, folder: Path, wanted: Iterable[Path], layout: str, rest: Source | None = None
) -> None:
    """MissingFilesError for those that are not there; ``rest`` is the dataset without them."""
    missing = [path for path in wanted if not path.is_file()]
    if missing:
        raise MissingFilesError(kind, folder, missing, layout, rest)


def require_size(
    layer: NDArray[Any], photo: NDArray[Any], layer_path: Path, photo_path: Path
) -> None:
    """DataError where a layer is not of the photo's size."""
    if layer.shape[:2] == photo.shape[:2]:
        return
    height, width = layer.shape[:2]
    of_layer, of_photo = f"{width}×{height}", f"{photo.shape[1]}×{photo.shape[0]}"
    message = f"{layer_path} has {of_layer} pixels, but {photo_path} has {of_photo}"
    raise DataError(message, "a photo and its layers must be of one size")


def refuse_empty(kind: str, folder: Path, layout: str) -> NoReturn:
    """DataError: the folder holds nothing of this kind."""
    raise DataError(f"{folder} holds no {kind}", f"expected: {layout}")
