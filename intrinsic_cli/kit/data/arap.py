"""ARAP (Bonneel et al., Eurographics STAR 2017): rendered scenes with true albedo and shading."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from intrinsic_cli.api import Case
from intrinsic_cli.api.data import Split
from intrinsic_cli.api.layers import FACTORS
from intrinsic_cli.kit.data.pictures import MeasuringOnly, read_layer, refuse_empty, require_files
from intrinsic_cli.kit.image import read_photo

LAYOUT = "SCENE_image.png, SCENE_albedo.png and SCENE_shading.png, linear"
_FILES = ("image", *FACTORS)


class Arap(MeasuringOnly):
    """One case a scene, exposed as stored. Every pixel counts; the ``arap-f`` protocol masks dark ones by the truth."""

    name = "arap"
    protocol = "arap-f"
    offers = frozenset({"photo", "albedo", "shading", "mask"})

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._scenes = sorted(path.name.removesuffix("_image.png") for path in folder.glob("*_image.png"))
        if not self._scenes:
            refuse_empty("ARAP scenes", folder, LAYOUT)
        require_files("ARAP", folder, [folder / f"{s}_{layer}.png" for s in self._scenes for layer in _FILES], LAYOUT)

    def cases(self, split: Split = "val", limit: int | None = None) -> Iterator[Case]:
        """The scenes by name."""
        self._only_val(split)
        return (self._case(scene) for scene in self._scenes[:limit])

    def _case(self, scene: str) -> Case:
        photo = read_photo(self._folder / f"{scene}_image.png", "linear").pixels
        truth = {layer: read_layer(self._folder / f"{scene}_{layer}.png") for layer in FACTORS}
        return Case(scene, photo, truth, np.ones(photo.shape[:2], bool))


def open_arap(path: Path) -> Arap:
    """The scenes in the folder ``path``."""
    return Arap(path)
