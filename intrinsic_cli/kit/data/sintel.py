"""MPI Sintel (Butler et al. 2012) with albedo and shading: frames of an animated film.

Layout from memory: verify. ``training/clean/SCENE/frame_0001.png`` (``final`` serves too),
``training/albedo/…`` and ``training/shading/…`` with equal names; the folder above ``training`` or
``training`` itself may be named.

Numbers are taken as stored, without a transfer curve, as the published evaluation does (PNG/255).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from intrinsic_cli.api import Case, DataError
from intrinsic_cli.api.outputs import FACTORS
from intrinsic_cli.kit.data.layer_files import read_layer, refuse_empty
from intrinsic_cli.kit.data.layouts import SINTEL
from intrinsic_cli.kit.data.readers import TrainingReader
from intrinsic_cli.kit.files.photo import read_photo


class Sintel(TrainingReader[Path]):
    """Frames by scene. ``by`` is what the test split is made of: whole scenes, or single images.

    A list ``scene-test.txt`` or ``image-test.txt`` in the folder (a line a frame:
    ``alley_1/frame_0001.png`` or ``alley_1_frame_0001``, or a whole scene) says what ``val`` is;
    supply the published one to compare with tables. Without it every second scene, or every second
    frame, is held out: our rule, not the published one."""

    name = "sintel"
    protocol = "sintel"
    offers = frozenset({"photo", *FACTORS, "mask"})

    def __init__(self, folder: Path, by: str = "scene") -> None:
        self._root = folder / "training" if (folder / "training").is_dir() else folder
        self._photos = _photo_folder(self._root)
        frames = sorted(path.relative_to(self._photos) for path in self._photos.glob("*/*.png"))
        if not frames:
            refuse_empty("MPI Sintel frames", folder, SINTEL)
        lists = [place / f"{by}-test.txt" for place in (folder, self._root)]
        told = [path for path in lists if path.is_file()]
        held = _read_list(told[0], frames) if told else _every_second(frames, by)
        self._entries = {
            "train": [frame for frame in frames if frame not in held],
            "val": [frame for frame in frames if frame in held],
        }
        self._require_files("MPI Sintel", self._root, SINTEL)

    def _case(self, entry: Path) -> Case:
        photo = read_photo(self._photos / entry, "linear").pixels
        truth = {}
        for layer in FACTORS:
            truth[layer] = read_layer(self._root / layer / entry)
        mask = np.ones(photo.shape[:2], bool)
        facts = {"scene": entry.parent.name}
        return Case(_key(entry), photo, truth, mask, facts)

    def _files(self, entry: Path) -> Sequence[Path]:
        return [self._root / layer / entry for layer in FACTORS]


def _photo_folder(root: Path) -> Path:
    for kind in ("clean", "final"):
        if (root / kind).is_dir():
            return root / kind
    return root / "clean"


def _key(frame: Path) -> str:
    return f"{frame.parent.name}_{frame.stem}"


def _read_list(path: Path, frames: list[Path]) -> set[Path]:
    """The frames a list names. DataError where one of them is not there."""
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    words = {line.removesuffix(".png").replace("/", "_") for line in lines if line}
    keys = {_key(frame) for frame in frames}
    scenes = {frame.parent.name for frame in frames}
    unknown = words - keys - scenes
    if unknown:
        message = f"{path} lists frames that are not there, such as {min(unknown)}"
        raise DataError(message, f"expected: {SINTEL}")
    held = set()
    for frame in frames:
        if _key(frame) in words or frame.parent.name in words:
            held.add(frame)
    return held


def _every_second(frames: list[Path], by: str) -> set[Path]:
    if by != "scene":
        return set(frames[1::2])
    scenes = sorted({frame.parent.name for frame in frames})
    held = scenes[1::2]
    return {frame for frame in frames if frame.parent.name in held}


def open_sintel(path: Path) -> Sintel:
    """The scene split."""
    return Sintel(path)


def open_images(path: Path) -> Sintel:
    """The split by image."""
    return Sintel(path, by="image")
