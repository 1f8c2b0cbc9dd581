"""CGIntrinsics (Li & Snavely 2018): rendered rooms with reflectance; shading is the photo divided
by it.

Layout from memory: verify. ``images/SCENE/NAME.png``, ``images/SCENE/NAME_albedo.png``,
``images/SCENE/NAME_mask.png``, perhaps below ``intrinsics_final``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.api import Case
from intrinsic_cli.api.data import Split
from intrinsic_cli.api.outputs import FACTORS
from intrinsic_cli.kit.data.layer_files import read_layer, read_mask, refuse_empty, require_files
from intrinsic_cli.kit.data.readers import TrainingReader, share
from intrinsic_cli.kit.files.opencv import cv2

LAYOUT = "images/SCENE/NAME.png, NAME_albedo.png and NAME_mask.png"
# The published preparation: gamma, what counts as black, the range of shading, the brightest of it.
_GAMMA, _BLACK, _LOW, _HIGH, _TOP, _WHITE = 2.2, 1e-6, 1e-4, 10.0, 20.0, 95

Image = NDArray[np.float32]


class CgIntrinsics(TrainingReader):
    """Views by scene. A tenth of the scenes, chosen by a hash of their names, is ``val`` (our
    rule)."""

    name = "cgintrinsics"
    protocol = "cgintrinsics"
    offers = frozenset({"photo", *FACTORS, "mask"})

    def __init__(self, folder: Path) -> None:
        roots = (folder / "intrinsics_final" / "images", folder / "images", folder)
        root = next((place for place in roots if place.is_dir()), folder)
        albedos = sorted(root.glob("*/*_albedo.png"))
        if not albedos:
            refuse_empty("CGIntrinsics views", folder, LAYOUT)
        require_files(
            "CGIntrinsics",
            root,
            [_beside(path, end) for path in albedos for end in ("", "_mask")],
            LAYOUT,
        )
        first = min({path.parent.name for path in albedos}, key=share)
        held = [
            path for path in albedos if path.parent.name == first or share(path.parent.name) < 0.1
        ]
        rest = [path for path in albedos if path not in held]
        self._entries: dict[Split, list[Path]] = {"val": held, "train": rest or albedos}

    def _case(self, entry: Any) -> Case:
        photo = read_layer(_beside(entry, "")) ** np.float32(_GAMMA)
        albedo = read_layer(entry)
        shading, mask = divide(photo, albedo, read_mask(_beside(entry, "_mask")))
        name = f"{entry.parent.name}_{entry.stem.removesuffix('_albedo')}"
        return Case(
            name,
            np.broadcast_to(photo, (*mask.shape, 3)),
            {"albedo": albedo, "shading": shading},
            mask,
        )


def divide(photo: Image, albedo: Image, mask: NDArray[np.bool_]) -> tuple[Image, NDArray[np.bool_]]:
    """Linear photo and albedo [H,W,C] → shading [H,W,3] in 0..1 and where it is known, as the
    published preparation.

    The mask is eroded 11×11 and leaves out black pixels and shading above 10 or below 1e-4; shading
    is clipped to [1e-4, 20], divided by its 95th percentile in the mask, and clipped to 1."""
    shading = photo / np.maximum(albedo, np.float32(_BLACK))
    known = cv2.erode(mask.astype(np.uint8), np.ones((11, 11), np.uint8), borderValue=0) > 0
    known &= (albedo.min(-1) >= _BLACK) & (photo.min(-1) >= _BLACK)
    known &= (shading.max(-1) <= _HIGH) & (shading.min(-1) >= _LOW)
    shading = np.clip(shading, _LOW, _TOP)
    white = np.percentile(shading[known], _WHITE) if known.any() else 1.0
    return np.clip(shading / np.float32(white), 0, 1).astype(np.float32), known


def _beside(albedo: Path, end: str) -> Path:
    return albedo.with_name(albedo.name.replace("_albedo.png", f"{end}.png"))


def open_cgintrinsics(path: Path) -> CgIntrinsics:
    """The views below ``path``."""
    return CgIntrinsics(path)
