"""ARAP (Bonneel et al., Eurographics STAR 2017): rendered scenes with true albedo and shading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from intrinsic_cli.api import Case
from intrinsic_cli.api.data import Split
from intrinsic_cli.api.outputs import FACTORS
from intrinsic_cli.kit.data.layer_files import (
    read_layer,
    refuse_empty,
    require_files,
)
from intrinsic_cli.kit.data.readers import MeasuringReader
from intrinsic_cli.kit.files.photo import read_photo

LAYOUT = "SCENE_image.png, SCENE_albedo.png and SCENE_shading.png, linear"
_FILES = ("image", *FACTORS)
# Scenes that ``arap-1k`` leaves out, by the beginning of their names.
_LEFT_OUT = ("amsterdam", "redhead", "butterfly", "office", "caterpillar", "strawberries", "tiger")


class Arap(MeasuringReader):
    """One case a scene, exposed as stored. Every pixel counts; protocols mask dark or clipped ones
    by the truth."""

    name = "arap"
    offers = frozenset({"photo", "albedo", "shading", "mask"})

    def __init__(
        self, folder: Path, protocol: str = "arap-f", without: tuple[str, ...] = ()
    ) -> None:
        self._folder, self.protocol = folder, protocol
        scenes = sorted(
            {
                path.name.rpartition("_")[0]
                for name in _FILES
                for path in folder.glob(f"*_{name}.png")
            }
        )
        scenes = [scene for scene in scenes if not scene.startswith(without)]
        if not scenes:
            refuse_empty("ARAP scenes", folder, LAYOUT)
        require_files(
            "ARAP",
            folder,
            [folder / f"{s}_{layer}.png" for s in scenes for layer in _FILES],
            LAYOUT,
        )
        self._entries: dict[Split, list[str]] = {"val": scenes}

    def _case(self, entry: Any) -> Case:
        scene = str(entry)
        photo = read_photo(self._folder / f"{scene}_image.png", "linear").pixels
        truth = {layer: read_layer(self._folder / f"{scene}_{layer}.png") for layer in FACTORS}
        return Case(scene, photo, truth, np.ones(photo.shape[:2], bool))


def open_arap(path: Path) -> Arap:
    """The scenes in the folder ``path``."""
    return Arap(path)


def open_arap_o(path: Path) -> Arap:
    """The same, scored as the first flow method did."""
    return Arap(path, "arap-o")


def open_arap_1k(path: Path) -> Arap:
    """The same without seven scenes, scored as Luo's evaluation does. That evaluation also says ">
    1000 px", which can be read in two ways (only such scenes, or shrunk to that): nothing is
    filtered or resized here. Smaller copies of the originals are another protocol."""
    return Arap(path, "arap-1k", _LEFT_OUT)
