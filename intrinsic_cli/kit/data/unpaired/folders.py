"""Your own collections that do not belong together: photos, albedos and shadings of whatever
scenes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.api import Case, DataError, Source
from intrinsic_cli.kit.data.crops import (
    DARK,
    WHITE,
    Sample,
    collate,
    middle_window,
    mirror,
    random_window,
    resize,
)
from intrinsic_cli.kit.data.layer_files import read_mask
from intrinsic_cli.kit.data.readers import share
from intrinsic_cli.kit.files.formats import PHOTO_SUFFIXES
from intrinsic_cli.kit.files.photo import Photo, read_photo

if TYPE_CHECKING:
    from torch import Tensor

    from intrinsic_cli.api.data import Batch, Split

NAMES = ("photo", "albedo", "shading")
LAYOUT = "photo/, albedo/ and shading/ with any files, or three folders: PHOTOS,ALBEDOS,SHADINGS"


@dataclass(frozen=True, slots=True)
class _Picture:
    """A file of a collection, its path below the collection's folder, and its mask's file."""

    path: Path
    relative: str
    mask: Path | None


class Collections(Source):
    """Three collections of pictures as a :class:`~intrinsic_cli.api.data.Source` of unpaired
    layers.

    Integer formats are read as sRGB-encoded, float formats (EXR, HDR, float TIFF) as linear. A
    picture's mask leaves out what is transparent, black, darker than half in ``mask/COLLECTION/``
    and, in a photo, clipped.

    About a tenth of each collection, chosen by a hash of the path below its folder, is the ``val``
    split; adding pictures moves none of the others. There is always at least one; a lone picture is
    in both splits."""

    name = "unpaired"
    protocol = "unpaired"
    offers = frozenset({*NAMES, "unpaired"})
    paired = False

    def __init__(self, folders: Mapping[str, Path], masks: Path | None = None) -> None:
        found = {name: _find(name, folders[name], masks) for name in NAMES}
        self._pictures: dict[Split, dict[str, list[_Picture]]] = {
            "val": {name: _held(pictures) for name, pictures in found.items()},
            "train": {name: _learned(pictures) for name, pictures in found.items()},
        }

    def counts(self, split: Split) -> Mapping[str, int]:
        """How many pictures each collection has."""
        return {name: len(pictures) for name, pictures in self._pictures[split].items()}

    def part(self, index: int, count: int) -> Collections:
        """Every ``count``-th picture of each collection, from the ``index``-th on."""
        some = copy(self)
        some._pictures = {
            split: {name: pictures[index::count] for name, pictures in drawer.items()}
            for split, drawer in self._pictures.items()
        }
        return some

    def cases(self, split: Split = "val") -> Sequence[Case]:
        """Always a DataError: there is no truth."""
        raise DataError(
            "unpaired data has no truth to measure with, it can only be trained on",
            "evaluate on synth",
        )

    def batches(
        self, split: Split, size: int, crop: int, seed: int = 0, start: int = 0
    ) -> Iterator[Batch]:
        """Batches as :func:`~intrinsic_cli.kit.data.unpaired.parts.unpaired` describes them, of
        random squares. Every collection has an endless order of its own, whose n-th picture depends
        on seed, collection and n alone. Validation shows the middle squares, as many as the
        smallest collection has."""
        drawers = self._pictures[split]
        if empty := [name for name in NAMES if not drawers[name]]:
            raise DataError(
                f"there is no {empty[0]} left in this part of {self.name}", "collect more"
            )
        if split == "val":
            shown = min(map(len, drawers.values()))
            for first in range(0, shown, size):
                rows = slice(first, min(first + size, shown))
                yield _batch(
                    {name: [_still(p, name, crop) for p in drawers[name][rows]] for name in NAMES}
                )
            return
        while True:
            numbers = range(start * size, start * size + size)
            yield _batch(
                {
                    name: [_draw(drawers[name], name, seed, n, crop) for n in numbers]
                    for name in NAMES
                }
            )
            start += 1


def open_unpaired(path: Path) -> Collections:
    """The collections in ``path``, or in the three folders it names with commas between. DataError
    names what is missing or empty."""
    parts = str(path).split(",")
    if path.is_dir() or len(parts) == 1:
        return Collections({name: path / name for name in NAMES}, path / "mask")
    if len(parts) != len(NAMES):
        raise DataError(
            f"{path} names {len(parts)} folders instead of three", f"expected: {LAYOUT}"
        )
    return Collections(
        dict(zip(NAMES, (Path(part.strip()).expanduser() for part in parts), strict=True))
    )


def _find(name: str, folder: Path, masks: Path | None) -> list[_Picture]:
    """The pictures below ``folder``, by path."""
    if not folder.is_dir():
        _refuse(f"there is no folder {folder} for {name}")
    known = dict(_walk(masks / name)) if masks else {}
    found = [
        _Picture(path, path.relative_to(folder).as_posix(), known.get(key))
        for key, path in _walk(folder)
    ]
    if not found:
        _refuse(f"{folder} holds no picture for {name}")
    return sorted(found, key=lambda picture: picture.relative)


def _walk(folder: Path) -> Iterator[tuple[Path, Path]]:
    """(path below ``folder`` without suffix, path) of every picture that is not hidden."""
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name[0] != "."]
        for path in (Path(place, name) for name in names if name[0] != "."):
            if path.suffix.lower() in PHOTO_SUFFIXES:
                yield path.relative_to(folder).with_suffix(""), path


def _refuse(what: str) -> NoReturn:
    raise DataError(what, f"expected: {LAYOUT}")


def _held(pictures: Sequence[_Picture]) -> list[_Picture]:
    """The tenth to validate with, in the order of the hash: whatever comes first shows a bit of
    everything."""
    ranked = sorted(pictures, key=lambda picture: share(picture.relative))
    return [picture for i, picture in enumerate(ranked) if not i or share(picture.relative) < 0.1]


def _learned(pictures: Sequence[_Picture]) -> list[_Picture]:
    held = {picture.relative for picture in _held(pictures)}
    return [picture for picture in pictures if picture.relative not in held] or list(pictures)


def _draw(pictures: Sequence[_Picture], name: str, seed: int, number: int, side: int) -> Sample:
    """The ``number``-th sample of the endless order of a collection: every pass has a fresh one."""
    epoch, place = divmod(number, len(pictures))
    key = (seed, NAMES.index(name))
    order = np.random.default_rng((*key, 0, epoch)).permutation(len(pictures))
    rng = np.random.default_rng((*key, 1, number))
    sample = _read(pictures[order[place]], name, side, rng)
    return sample if rng.random() < 0.5 else mirror(sample)


def _still(picture: _Picture, name: str, side: int) -> Sample:
    return _read(picture, name, side, None)


def _read(picture: _Picture, name: str, side: int, rng: np.random.Generator | None) -> Sample:
    """A square of one picture (the middle one without ``rng``) and its mask: planes [S,S,3] and
    [S,S,1]."""
    photo = read_photo(picture.path)
    height, width = photo.pixels.shape[:2]
    top, left, size = random_window(height, width, rng) if rng else middle_window(height, width)
    window = np.s_[top : top + size, left : left + size]
    cut = resize(photo.pixels[window], side)
    good = (resize(_known(picture, photo)[window].astype(np.float32), side) > 0.99) & (
        cut.max(-1) > DARK
    )
    if name == "photo":
        good &= cut.max(-1) < WHITE
    return {name: cut, f"{name}_mask": good[..., None].astype(np.float32)}


def _known(picture: _Picture, photo: Photo) -> NDArray[np.bool_]:
    """[H,W], False where the picture is transparent, black or masked."""
    known = np.asarray(photo.pixels.any(-1))
    if photo.alpha is not None:
        known &= photo.alpha > 0.5
    if picture.mask:
        mask = read_mask(picture.mask)
        if mask.shape != known.shape:
            raise DataError(f"{picture.mask} and {picture.path} differ in size")
        known &= mask
    return known


def _batch(samples: Mapping[str, Sequence[Sample]]) -> Batch:
    """Samples of every collection → one batch."""
    made: dict[str, Tensor] = {}
    for of_one in samples.values():
        made |= collate(of_one)
    return made
