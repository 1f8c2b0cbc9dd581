"""ARAP (Bonneel et al., Eurographics STAR 2017): rendered scenes with true albedo and shading."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from intrinsic_cli.api import Case
from intrinsic_cli.api.outputs import FACTORS
from intrinsic_cli.kit.data.layer_files import read_layer, refuse_empty
from intrinsic_cli.kit.data.layouts import ARAP
from intrinsic_cli.kit.data.readers import MeasuringReader
from intrinsic_cli.kit.files.photo import read_photo

_FILES = ("image", *FACTORS)
# Scenes that ``arap-1k`` leaves out, by the beginning of their names.
_LEFT_OUT = ("amsterdam", "redhead", "butterfly", "office", "caterpillar", "strawberries", "tiger")


class Arap(MeasuringReader[str]):
    """One case a scene, exposed as stored. Every pixel counts; protocols mask dark or clipped ones
    by the truth."""

    name = "arap"
    offers = frozenset({"photo", "albedo", "shading", "mask"})

    def __init__(
        self, folder: Path, protocol: str = "arap-f", without: tuple[str, ...] = ()
    ) -> None:
        self._folder, self.protocol = folder, protocol
        found = [path for name in _FILES for path in folder.glob(f"*_{name}.png")]
        named = {path.name.rpartition("_")[0] for path in found}
        scenes = sorted(scene for scene in named if not scene.startswith(without))
        if not scenes:
            refuse_empty("ARAP scenes", folder, ARAP)
        self._entries = {"val": scenes}
        self._require_files("ARAP", folder, ARAP)

    def _case(self, entry: str) -> Case:
        photo = read_photo(self._file(entry, "image"), "linear").pixels
        truth = {name: read_layer(self._file(entry, name)) for name in FACTORS}
        return Case(entry, photo, truth, np.ones(photo.shape[:2], bool))

    def _files(self, entry: str) -> Sequence[Path]:
        return [self._file(entry, name) for name in _FILES]

    def _file(self, scene: str, name: str) -> Path:
        return self._folder / f"{scene}_{name}.png"


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
