"""``--mask``: silhouettes of photos, by their names. Light: looks at names only."""

from __future__ import annotations

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
        """UsageError where there is nothing, or one file for several ``photos``."""
        self.place = place
        if place is None:
            return
        if not place.exists():
            hint = missing(place) or "give a picture, or a folder of them"
            raise UsageError(f"there is no mask at {place}", hint)
        if place.is_file() and photos > 1:
            hint = "give a folder of masks, called as the photos are"
            raise UsageError(f"{place} is one mask for {photos} photos", hint)

    def of(self, photo: Path) -> Path | None:
        """The mask of a photo, a path relative to its input, or None where there is none."""
        if self.place is None or self.place.is_file():
            return self.place
        for folder in (self.place / photo.parent, self.place):
            for label in LABELS:
                for suffix in sorted(PHOTO_SUFFIXES):
                    path = folder / f"{photo.stem}{label}{suffix}"
                    if path.is_file():
                        return path
        return None


def lacking(place: Path, photo: str) -> DataError:
    """Why a photo is not done whose mask was asked for."""
    stem = Path(photo).stem
    return DataError(f"there is no mask of it in {place}", f"call it {stem}.png")
