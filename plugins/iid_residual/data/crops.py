"""Faces cut out of any photos, as the network sees them: ``iid datasets prepare faces``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from iid_residual.faces.find import can_find, find_faces
from intrinsic_cli.api import DataError, Progress, Region, UsageError
from intrinsic_cli.kit.data.crops import resize
from intrinsic_cli.kit.files.formats import PHOTO_SUFFIXES
from intrinsic_cli.kit.files.photo import read_photo, write_png
from intrinsic_cli.kit.inference.regions import cut
from intrinsic_cli.kit.light.colour import encode_codes

SIDE = 256


def write_crops(source: Path, out: Path, progress: Progress) -> int:
    """Write every face found in the photos below ``source`` as a square PNG, turned upright:
    ``NAME_1.png``, ``NAME_2.png`` … in the same folders below ``out``. Photos whose first face is
    there already are passed over; how many were written now."""
    if not can_find(""):
        hint = "pip install 'intrinsic-cli[faces]'"
        raise UsageError("there is nothing to find faces with", hint)
    suffixes = PHOTO_SUFFIXES
    photos = sorted(path for path in source.rglob("*") if path.suffix.lower() in suffixes)
    if not photos:
        raise DataError(f"{source} holds no photos", "known by their suffix: .jpg, .png, …")
    progress.start("faces", len(photos))
    written = 0
    for photo in photos:
        stem = out / photo.relative_to(source).with_suffix("")
        if not _numbered(stem, 1).exists():
            written += _write(photo, stem)
        progress.advance()
    progress.finish()
    return written


def _write(path: Path, stem: Path) -> int:
    """The faces of one photo."""
    photo = read_photo(path)
    faces = find_faces(photo.pixels)
    for number, face in enumerate(faces, 1):
        square = cut(photo, Region(face.pose.box, face.pose.angle)).pixels
        small = resize(square, SIDE)
        stem.parent.mkdir(parents=True, exist_ok=True)
        write_png(_numbered(stem, number), encode_codes(small, 8).astype(np.uint8))
    return len(faces)


def _numbered(stem: Path, number: int) -> Path:
    return stem.with_name(f"{stem.name}_{number}.png")
