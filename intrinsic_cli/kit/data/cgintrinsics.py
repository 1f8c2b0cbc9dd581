"""CGIntrinsics (Li & Snavely 2018): rendered rooms with reflectance; shading is the photo divided
by it.

Layout from memory: verify. ``images/SCENE/NAME.png``, ``images/SCENE/NAME_albedo.png``,
``images/SCENE/NAME_mask.png``, perhaps below ``intrinsics_final``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.api import Case
from intrinsic_cli.api.outputs import FACTORS
from intrinsic_cli.kit.data.layer_files import read_layer, read_mask, refuse_empty
from intrinsic_cli.kit.data.layouts import CGINTRINSICS
from intrinsic_cli.kit.data.readers import TrainingReader
from intrinsic_cli.kit.data.splits import notes_on_split, split_by_group
from intrinsic_cli.kit.files.opencv import cv2

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intrinsic_cli.api.outputs import Image

# The published preparation: gamma, what counts as black, the range of shading, the brightest of it.
_GAMMA, _BLACK, _LOW, _HIGH, _TOP, _WHITE = 2.2, 1e-6, 1e-4, 10.0, 20.0, 95
_BORDER = np.ones((11, 11), np.uint8)  # of the mask, left out


class CgIntrinsics(TrainingReader[Path]):
    """Views by scene. A tenth of the scenes, chosen by a hash of their names, is ``val`` (our
    rule)."""

    name = "cgintrinsics"
    protocol = "cgintrinsics"
    offers = frozenset({"photo", *FACTORS, "mask"})

    def __init__(self, folder: Path) -> None:
        roots = (folder / "intrinsics_final" / "images", folder / "images", folder)
        root = next((place for place in roots if place.is_dir()), folder)
        photos = sorted(_photo_of(path) for path in root.glob("*/*_albedo.png"))
        if not photos:
            refuse_empty("CGIntrinsics views", folder, CGINTRINSICS)
        self._entries = split_by_group(photos, lambda photo: photo.parent.name)
        self.notes = notes_on_split(folder, self._entries)
        self._require_files("CGIntrinsics", root, CGINTRINSICS)

    def _case(self, entry: Path) -> Case:
        photo = read_layer(entry) ** np.float32(_GAMMA)
        albedo = read_layer(_of(entry, "albedo"))
        mask = read_mask(_of(entry, "mask"))
        shading, known = divide(photo, albedo, mask)
        coloured = np.broadcast_to(photo, (*known.shape, 3))
        truth = {"albedo": albedo, "shading": shading}
        name = f"{entry.parent.name}_{entry.stem}"
        return Case(name, coloured, truth, known)

    def _files(self, entry: Path) -> Sequence[Path]:
        return [entry, _of(entry, "mask")]


def divide(photo: Image, albedo: Image, mask: NDArray[np.bool_]) -> tuple[Image, NDArray[np.bool_]]:
    """Linear photo and albedo [H,W,C] → shading [H,W,3] in 0..1 and where it is known, as the
    published preparation.

    The mask is eroded 11×11 and leaves out black pixels and shading above 10 or below 1e-4; shading
    is clipped to [1e-4, 20], divided by its 95th percentile in the mask, and clipped to 1."""
    shading = photo / np.maximum(albedo, np.float32(_BLACK))
    darkest = np.minimum(albedo.min(-1), photo.min(-1))
    known = _eroded(mask)
    known &= darkest >= _BLACK
    brightest = shading.max(-1)
    known &= brightest <= _HIGH
    known &= shading.min(-1) >= _LOW
    shading = np.clip(shading, _LOW, _TOP)
    white = np.float32(1.0)
    if known.any():
        white = np.float32(np.percentile(shading[known], _WHITE))
    scaled = np.clip(shading / white, 0, 1)
    return scaled.astype(np.float32), known


def _eroded(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    inner = cv2.erode(mask.astype(np.uint8), _BORDER, borderValue=0)
    return np.asarray(inner > 0)


def _of(photo: Path, layer: str) -> Path:
    return photo.with_name(f"{photo.stem}_{layer}.png")


def _photo_of(albedo: Path) -> Path:
    return albedo.with_name(albedo.name.replace("_albedo.png", ".png"))


def open_cgintrinsics(path: Path) -> CgIntrinsics:
    """The views below ``path``."""
    return CgIntrinsics(path)
