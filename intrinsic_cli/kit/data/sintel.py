"""MPI Sintel (Butler et al. 2012) with albedo and shading: frames of an animated film.

Layout from memory: verify. ``training/clean/SCENE/frame_0001.png`` (``final`` serves too),
``training/albedo/…`` and ``training/shading/…`` with equal names; the folder above ``training`` or
``training`` itself may be named.

Numbers are taken as stored, without a transfer curve, as the published evaluation does (PNG/255).
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from intrinsic_cli.api import Case, DataError
from intrinsic_cli.api.data import Split
from intrinsic_cli.api.outputs import FACTORS
from intrinsic_cli.kit.data.layer_files import read_layer, refuse_empty, require_files
from intrinsic_cli.kit.data.readers import TrainingReader
from intrinsic_cli.kit.files.photo import read_photo

LAYOUT = (
    "training/clean/SCENE/frame_NNNN.png, and the same below training/albedo and training/shading"
)


class Sintel(TrainingReader):
    """Frames by scene. ``by`` is what the test half is made of: whole scenes, or single images.

    A list ``scene-test.txt`` or ``image-test.txt`` in the folder (a line a frame:
    ``alley_1/frame_0001.png`` or ``alley_1_frame_0001``, or a whole scene) says what ``val`` is;
    supply the published one to compare with tables. Without it every second scene, or every second
    frame, is held out: our rule, not the published one."""

    name = "sintel"
    protocol = "sintel"
    offers = frozenset({"photo", *FACTORS, "mask"})

    def __init__(self, folder: Path, by: str = "scene") -> None:
        root = folder / "training" if (folder / "training").is_dir() else folder
        photos = next(
            (root / kind for kind in ("clean", "final") if (root / kind).is_dir()), root / "clean"
        )
        self._root, self._photos = root, photos
        frames = sorted(path.relative_to(photos) for path in photos.glob("*/*.png"))
        if not frames:
            refuse_empty("MPI Sintel frames", folder, LAYOUT)
        require_files(
            "MPI Sintel",
            root,
            [root / layer / frame for frame in frames for layer in FACTORS],
            LAYOUT,
        )
        told = next(
            (x for x in (place / f"{by}-test.txt" for place in (folder, root)) if x.is_file()), None
        )
        held = _listed(told, frames) if told else _every_second(frames, by)
        self._entries: dict[Split, list[Path]] = {
            "train": [frame for frame in frames if frame not in held],
            "val": [frame for frame in frames if frame in held],
        }

    def _case(self, entry: Any) -> Case:
        photo = read_photo(self._photos / entry, "linear").pixels
        truth = {layer: read_layer(self._root / layer / entry) for layer in FACTORS}
        return Case(
            _key(entry), photo, truth, np.ones(photo.shape[:2], bool), {"scene": entry.parent.name}
        )


def _key(frame: Path) -> str:
    return f"{frame.parent.name}_{frame.stem}"


def _listed(path: Path, frames: list[Path]) -> set[Path]:
    words = {
        line.strip().removesuffix(".png").replace("/", "_")
        for line in path.read_text().splitlines()
    } - {""}
    unknown = words - {_key(frame) for frame in frames} - {frame.parent.name for frame in frames}
    if unknown:
        raise DataError(
            f"{path} lists frames that are not there, such as {min(unknown)}", f"expected: {LAYOUT}"
        )
    return {frame for frame in frames if _key(frame) in words or frame.parent.name in words}


def _every_second(frames: list[Path], by: str) -> set[Path]:
    groups = sorted({frame.parent.name for frame in frames})
    return {
        frame
        for i, frame in enumerate(frames)
        if (groups.index(frame.parent.name) if by == "scene" else i) % 2
    }


def open_sintel(path: Path) -> Sintel:
    """The scene split."""
    return Sintel(path)


open_images = partial(Sintel, by="image")
