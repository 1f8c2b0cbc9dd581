"""One photo from its file, with what its sidecar will say of it."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from intrinsic_cli.requests import DecomposeRequest
from intrinsic_cli.runs.decompose.masks import lacking
from intrinsic_cli.runs.decompose.targets import Target

if TYPE_CHECKING:
    from intrinsic_cli.kit.files.exif import Exif
    from intrinsic_cli.kit.files.float_rows import FloatRows
    from intrinsic_cli.kit.files.metadata import Metadata
    from intrinsic_cli.kit.files.photo import Photo
    from intrinsic_cli.kit.files.photo_rows import PhotoRows


@dataclass(frozen=True, slots=True)
class LoadedPhoto:
    """A photo in memory, the hash of its file (and of that of its mask, "" without one), and when
    work on it began. ``exif`` is what is kept of it for its layers, None where
    nothing is asked for."""

    photo: Photo
    sha256: str
    began: float
    mask_sha256: str = ""
    exif: Exif | None = None


def load(target: Target, request: DecomposeRequest) -> LoadedPhoto:
    """Read one photo, and the mask that was given for it."""
    from intrinsic_cli.kit.files.memory import at_most
    from intrinsic_cli.kit.files.metadata import read_metadata
    from intrinsic_cli.kit.files.photo import read_photo
    from intrinsic_cli.kit.files.read_bytes import read_bytes

    began = time.perf_counter()
    data, suffix = request.stdin or b"", ""
    if target.path is not None:
        data, suffix = read_bytes(target.path), target.path.suffix
    with at_most(request.max_pixels):
        photo = read_photo(data, request.input_encoding, request.exr_layer, suffix)
    exif = read_metadata(data).exif if request.metadata == "keep" else None
    loaded = LoadedPhoto(photo, hashlib.sha256(data).hexdigest(), began, exif=exif)
    if request.mask is None:
        return loaded
    return _masked(loaded, target, request.mask)


@dataclass(frozen=True, slots=True)
class LoadedRows:
    """A photo that is not in memory as light, what its file says of it, and the hash of that."""

    rows: PhotoRows | FloatRows
    metadata: Metadata
    sha256: str


def read_codes(
    target: Target, request: DecomposeRequest, least: int, side: int = 0
) -> LoadedRows | None:
    """A photo of at least so many pixels, whose shorter side has at least ``side``, as its codes;
    None where it is smaller, or holds none that can be kept. DataError where it is broken."""
    from intrinsic_cli.kit.files.memory import at_most
    from intrinsic_cli.kit.files.metadata import read_metadata
    from intrinsic_cli.kit.files.photo_rows import is_large, open_rows
    from intrinsic_cli.kit.files.read_bytes import read_bytes

    if target.path is None or not is_large(target.path, least, side):
        return None
    data = read_bytes(target.path)
    with at_most(request.max_pixels):
        rows = open_rows(data, request.input_encoding, target.path.suffix)
    if rows is None:
        return None
    return LoadedRows(rows, read_metadata(data), hashlib.sha256(data).hexdigest())


def read_floats(
    target: Target, request: DecomposeRequest, least: int, side: int = 0
) -> LoadedRows | None:
    """The same of a photo whose numbers are floats, which are read from its file when they are
    asked for."""
    from intrinsic_cli.kit.files.file_parts import Asked
    from intrinsic_cli.kit.files.float_files import open_float_rows
    from intrinsic_cli.kit.files.memory import at_most

    if target.path is None:
        return None
    asked = Asked(target.path, request.exr_layer, least, side)
    with at_most(request.max_pixels):
        found = open_float_rows(asked, request.input_encoding)
    if found is None:
        return None
    file, rows = found
    return LoadedRows(rows, rows.metadata, file.sha256())


def _masked(loaded: LoadedPhoto, target: Target, place: Path) -> LoadedPhoto:
    """The photo with its mask at ``place``."""
    from intrinsic_cli.kit.files.mask import with_mask

    mask = load_mask(target, place)
    photo = with_mask(loaded.photo, mask, str(target.mask))
    return replace(loaded, photo=photo, mask_sha256=hashlib.sha256(mask).hexdigest())


def load_mask(target: Target, place: Path) -> bytes:
    """The bytes of the mask of a photo; DataError where there is none at ``place``."""
    from intrinsic_cli.kit.files.read_bytes import read_bytes

    if target.mask is None:
        raise lacking(place, target.input)
    return read_bytes(target.mask)
