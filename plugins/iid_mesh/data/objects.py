"""One's own photos of one kind of object, each with its silhouette: ``images/`` and ``masks/`` with
equal file names, or images with alpha.

Parts are found by k-means (k = 4) over all photos at once: of where a pixel lies along the
silhouette's principal axes, how far from its outline, and its colour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from iid_mesh.data.square import Box, box_of, square_around
from intrinsic_cli.api import Case, DataError
from intrinsic_cli.kit.data.layer_files import read_mask, require_size
from intrinsic_cli.kit.data.readers import TrainingReader
from intrinsic_cli.kit.data.splits import notes_on_split, split_by_group
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.photo import read_photo
from intrinsic_cli.kit.light.colour import linear_to_srgb

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intrinsic_cli.api.data import Row
    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.kit.data.rows import Sample

    Mask = NDArray[np.bool_]

LAYOUT = "images/NAME.jpg and masks/NAME.png, or images/NAME.png with alpha"
PARTS = 4
#: The side of the photos that are measured with, and of those that parts are learned from.
CASE, _SMALL = 128, 64
_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"}
_LOOKED_AT = 64  # photos from which parts are learned, at most
_PIXELS = 300  # of each
#: What places, the distance from the outline and colour count for.
_PLACE, _DEPTH, _COLOUR = 1.0, 0.5, 0.6


@dataclass(frozen=True, slots=True)
class Files:
    """A photo and its silhouette; None where its alpha is that."""

    photo: Path
    mask: Path | None


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo [H,W,3] linear, its silhouette [H,W] and the box around that."""

    pixels: Image
    mask: Mask
    box: Box


class Objects(TrainingReader[Files]):
    """Squares around objects."""

    name = "objects"
    protocol = "meshes"
    offers = frozenset({"photo", "mask", "silhouette", "parts"})
    rows: Mapping[str, Row] = {"parts": "planes"}

    def __init__(self, folder: Path) -> None:
        files = find(folder)
        self._entries = split_by_group(files, lambda entry: entry.photo.stem)
        self.notes = notes_on_split(folder, self._entries)

    @cached_property
    def centres(self) -> Image:
        """The middles of the parts [4,F], found in the photos of the training split."""
        some = []
        for entry in self._entries["train"][:_LOOKED_AT]:
            rows = features(*_small(self._read(entry)))
            apart = max(1, len(rows) // _PIXELS)
            some.append(rows[::apart])
        return part_centres(np.concatenate(some))

    def _read(self, entry: Files) -> Photo:
        photo = read_photo(entry.photo)
        if entry.mask is not None:
            mask = read_mask(entry.mask)
            require_size(mask, photo.pixels, entry.mask, entry.photo)
        elif photo.alpha is not None:
            mask = photo.alpha > 0.5
        else:
            raise DataError(f"{entry.photo} has neither a mask nor alpha", f"expected: {LAYOUT}")
        if not mask.any():
            hint = "mend its mask (white on black) or its alpha, or take the photo out"
            raise DataError(f"the silhouette of {entry.photo} is empty", hint)
        return Photo(photo.pixels, mask, box_of(mask))

    def _of_one_size(self, entry: Files) -> Sequence[Path]:
        masks = [entry.mask] if entry.mask else []
        return [entry.photo, *masks]

    def _case(self, entry: Files) -> Case:
        whole = self._read(entry)
        made = self._cut(whole, CASE, None)
        truth = {"silhouette": made["silhouette"]}
        mask = made["mask"][..., 0] > 0.5
        return Case(entry.photo.stem, made["photo"], truth, mask, {"whole": whole})

    def _middle(self, case: Case, crop: int) -> Sample:
        return self._cut(case.facts["whole"], crop, None)

    def _vary(self, case: Case, crop: int, rng: np.random.Generator) -> Sample:
        return self._cut(case.facts["whole"], crop, rng)

    def _cut(self, photo: Photo, side: int, rng: np.random.Generator | None) -> Sample:
        square = square_around(photo.box, rng)
        mask = square.of(photo.mask, side, outside=0.0)
        pixels = square.of(photo.pixels, side)
        parts = part_maps(pixels, mask, self.centres)
        return {"photo": pixels, "mask": mask, "silhouette": mask, "parts": parts}


def open_objects(path: Path) -> Objects:
    """The photos below ``path``. DataError where there are none."""
    return Objects(path)


def find(folder: Path) -> list[Files]:
    """The photos of ``folder``/images in the order of their names, with their masks."""
    photos = _image_files(folder / "images")
    if not photos:
        raise DataError(f"{folder} has no images/ with photos", f"expected: {LAYOUT}")
    masks = {path.stem: path for path in _image_files(folder / "masks")}
    return [Files(path, masks.get(path.stem)) for path in photos]


def features(photo: Image, mask: Image) -> Image:
    """What parts are told apart by: of the pixels inside a mask [h,w], photo [h,w,3] linear →
    [N,6]."""
    rows, columns = np.nonzero(mask > 0.5)
    if len(rows) < 2:
        return np.zeros((0, 6), np.float32)
    places = np.stack([columns, rows], axis=1).astype(np.float32)
    colours = linear_to_srgb(np.clip(photo, 0, 1)).astype(np.float32)
    lab = cv2.cvtColor(colours, cv2.COLOR_RGB2LAB)[rows, columns]
    filled = (mask > 0.5).astype(np.uint8)
    depth = cv2.distanceTransform(filled, cv2.DIST_L2, 3)[rows, columns]
    columns_of = [
        _PLACE * _along_axes(places),
        _DEPTH * (depth / depth.max())[:, None],
        _COLOUR * (lab - lab.mean(axis=0)) / 40,
    ]
    return np.concatenate(columns_of, axis=1).astype(np.float32)


def part_centres(rows: Image) -> Image:
    """The middles [4,F] of the parts that k-means finds in rows [N,F], from the one end of the
    first axis to the other."""
    cv2.setRNGSeed(0)
    kind = cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER
    count = min(PARTS, len(rows))
    until = (kind, 50, 1e-3)
    start = cv2.KMEANS_PP_CENTERS
    _, _, centres = cv2.kmeans(rows, count, None, until, 4, start)
    order = np.argsort(centres[:, 0])
    return np.asarray(centres[order], np.float32)


def part_maps(photo: Image, mask: Image, centres: Image) -> Image:
    """The parts of a crop [h,w,3] with its mask [h,w,1] one by one: [h,w,5], the background
    first."""
    inside = mask[..., 0] > 0.5
    maps = np.zeros((*inside.shape, PARTS + 1), np.float32)
    maps[..., 0] = ~inside
    rows = features(photo, mask[..., 0])
    if not len(rows):
        return maps
    apart = rows[:, None] - centres
    distance = (apart * apart).sum(axis=2)
    channel = 1 + distance.argmin(axis=1)
    maps[inside] = np.eye(PARTS + 1, dtype=np.float32)[channel]
    return maps


def _along_axes(places: Image) -> Image:
    """Places [N,2] along the principal axes of their cloud, in units of its length; each axis
    points to where its longer tail is, so that objects that face either way agree."""
    centred = places - places.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    along = centred @ axes[:, ::-1]
    skew = (along**3).sum(axis=0)
    along[:, skew < 0] *= -1
    length = float(along[:, 0].std())
    return np.asarray(along / max(1e-6, length))


def _small(photo: Photo) -> tuple[Image, Image]:
    square = square_around(photo.box)
    mask = square.of(photo.mask, _SMALL, outside=0.0)[..., 0]
    return square.of(photo.pixels, _SMALL), mask


def _image_files(folder: Path) -> Sequence[Path]:
    return sorted(path for path in folder.glob("*") if path.suffix.lower() in _SUFFIXES)
