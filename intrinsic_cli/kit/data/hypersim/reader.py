"""Hypersim (Roberts et al. 2021): rendered rooms, prepared as tone-mapped photos with layers.

Originals are turned into such frames by ``iid datasets prepare hypersim``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from intrinsic_cli.api import Case
from intrinsic_cli.api.outputs import FACTORS
from intrinsic_cli.kit.data.layer_files import read_layer, refuse_empty
from intrinsic_cli.kit.data.layouts import HYPERSIM
from intrinsic_cli.kit.data.readers import TrainingReader
from intrinsic_cli.kit.data.splits import notes_on_split, split_by_group
from intrinsic_cli.kit.files.photo import read_photo

#: What a photo is called, ours first; what the layers are called.
PHOTOS = ("ldr", "reconstructed_ldr")
LAYERS = {"albedo": "diffuse_reflectance", "shading": "shading"}


class Hypersim(TrainingReader[Path]):
    """Frames that ``iid datasets prepare hypersim`` (or the published scripts) made:
    ``frame.NNNN.ldr.exr`` (or ``reconstructed_ldr``), ``diffuse_reflectance`` and ``shading``,
    linear light.

    A tenth of the scenes (``ai_XXX_XXX``), chosen by a hash of their names, is ``val``: our rule;
    the published split is a random tenth of the frames, where neighbours of a test frame are
    trained on."""

    name = "hypersim"
    protocol = "hypersim"
    offers = frozenset({"photo", *FACTORS, "mask"})

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        patterns = [f"ai_*/images/*/frame.*.{kind}.exr" for kind in PHOTOS]
        frames = sorted(path for pattern in patterns for path in folder.glob(pattern))
        if not frames:
            refuse_empty("prepared Hypersim frames", folder, HYPERSIM)
        self._entries = split_by_group(frames, lambda path: path.relative_to(folder).parts[0])
        self.notes = notes_on_split(folder, self._entries)
        self._require_files("Hypersim", folder, HYPERSIM)

    def _case(self, entry: Path) -> Case:
        photo = read_photo(entry).pixels
        truth = {}
        for name, kind in LAYERS.items():
            truth[name] = read_layer(layer_beside(entry, kind), "auto")
        painted = truth["albedo"].max(-1) > 0
        lit = truth["shading"].max(-1) > 0
        known = painted & lit
        scene, _, camera, file = entry.relative_to(self._folder).parts
        number = file.split(".")[1]
        return Case(f"{scene}_{camera}_{number}", photo, truth, known)

    def _files(self, entry: Path) -> Sequence[Path]:
        return [layer_beside(entry, kind) for kind in LAYERS.values()]


def layer_beside(path: Path, kind: str) -> Path:
    """The layer of that kind of the same frame: ``frame.NNNN.KIND`` and the suffix of ``path``."""
    frame, number, *_ = path.name.split(".")
    return path.with_name(f"{frame}.{number}.{kind}{path.suffix}")


def open_hypersim(path: Path) -> Hypersim:
    """The prepared frames below ``path``."""
    return Hypersim(path)
