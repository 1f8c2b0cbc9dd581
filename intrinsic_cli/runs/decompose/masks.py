"""``--mask``: silhouettes of photos, by their names. Light: looks at names only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from intrinsic_cli.api import DataError, UsageError
from intrinsic_cli.kit.files.formats import PHOTO_SUFFIXES
from intrinsic_cli.kit.files.os_errors import missing

#: What may stand between a photo's stem and the suffix of its mask.
LABELS = ("", ".mask", "_mask")


class Masks:
    """The masks at ``place``: a file for the only photo, a folder of masks called as their photos
    are, or None: nothing is asked for."""

    def __init__(self, place: Path | None, photos: int) -> None:
        """DataError where there is nothing, UsageError where one file is for several
        ``photos``."""
        self.place = place
        if place is None:
            return
        if not place.exists():
            hint = missing(place) or "give a picture, or a folder of them"
            raise DataError(f"there is no mask at {place}", hint)
        if place.is_file() and photos > 1:
            hint = "give a folder of masks, called as the photos are"
            raise UsageError(f"{place} is one mask for {photos} photos", hint)

    def of(self, photo: Path, relative: Path) -> Path | None:
        """The mask of a photo that lies at ``relative`` in its input, or None where there is none.
        In a folder of both, no photo is its own mask."""
        if self.place is None or self.place.is_file():
            return self.place
        for path in self._candidates(relative):
            if path.is_file() and not _is_same(path, photo):
                return path
        return None

    def _candidates(self, relative: Path) -> Iterator[Path]:
        """Where the mask of a photo may lie, the best place first."""
        assert self.place is not None
        for folder in (self.place / relative.parent, self.place):
            for label in LABELS:
                for suffix in sorted(PHOTO_SUFFIXES):
                    yield folder / f"{relative.stem}{label}{suffix}"


def _is_same(path: Path, photo: Path) -> bool:
    """Are both the same file, under whatever name? (stdin is none.)"""
    try:
        return path.samefile(photo)
    except OSError:
        return False


def lacking(place: Path, photo: str) -> DataError:
    """Why a photo is not done whose mask was asked for."""
    stem = Path(photo).stem
    name = f"{stem}.png"
    if (place / name).exists():  # the photo itself
        name = f"{stem}_mask.png"
    return DataError(f"there is no mask of it in {place}", f"call it {name}")
