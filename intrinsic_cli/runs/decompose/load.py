"""One photo from its file, with what its sidecar will say of it."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from intrinsic_cli.api import DataError
from intrinsic_cli.requests import DecomposeRequest
from intrinsic_cli.runs.decompose.masks import lacking
from intrinsic_cli.runs.decompose.targets import Target

if TYPE_CHECKING:
    from intrinsic_cli.kit.files.photo import Photo


@dataclass(frozen=True, slots=True)
class LoadedPhoto:
    """A photo in memory, the hash of its file (and of that of its mask, "" without one), and when
    work on it began."""

    photo: Photo
    sha256: str
    began: float
    mask_sha256: str = ""


def load(target: Target, request: DecomposeRequest) -> LoadedPhoto:
    """Read one photo, and the mask that was given for it."""
    from intrinsic_cli.kit.files.formats import other_format
    from intrinsic_cli.kit.files.mask import with_mask
    from intrinsic_cli.kit.files.photo import read_photo
    from intrinsic_cli.kit.files.read_bytes import read_bytes

    began = time.perf_counter()
    if target.path is None:
        data = request.stdin or b""
    else:
        other = other_format(target.path)
        if other is not None:
            raise DataError(f"it is {other.name}", other.hint)
        data = read_bytes(target.path)
    photo = read_photo(data, request.input_encoding, request.exr_layer)
    digest = hashlib.sha256(data).hexdigest()
    if request.mask is None:
        return LoadedPhoto(photo, digest, began)
    if target.mask is None:
        raise lacking(request.mask, target.input)
    mask = read_bytes(target.mask)
    photo = with_mask(photo, mask, str(target.mask))
    return LoadedPhoto(photo, digest, began, hashlib.sha256(mask).hexdigest())
