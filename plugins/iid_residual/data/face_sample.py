"""One face of files: with its truth to measure with, and cut to train on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from iid_residual.data.face_files import (
    decode_normals,
    light_of_house,
    normals_of_house,
    read_light,
    shading_of,
)
from iid_residual.data.face_list import Face
from intrinsic_cli.api import Case
from intrinsic_cli.kit.data.crops import Window, cut, middle_window, resize
from intrinsic_cli.kit.data.layer_files import read_mask
from intrinsic_cli.kit.files.photo import read_photo

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.kit.data.rows import Sample

_SMALLEST = 0.85  # of the shorter side: faces stand still in their pictures
_LAYERS = ("albedo", "shading", "normals")


def face_case(face: Face) -> Case:
    """A face at full size. Where its layers are known, its numbers are taken as stored, without a
    transfer curve: the synthetic faces are albedo · shading in them. Photos are photos.

    Normals and light come as everywhere in ``iid``: x right, y up, z to the viewer, the light
    ``facts["light"]`` [27] as :mod:`intrinsic_cli.kit.data.harmonics` has it. ``shading`` [H,W,3]
    is computed from both."""
    files = face.files
    if not face.is_known:
        pixels = read_photo(files["face"]).pixels
        return Case(face.name, pixels, {}, _mask(face, pixels))
    photo = _numbers(files["face"])
    normals = decode_normals(_numbers(files["normal"]))
    light = read_light(files["light"])
    truth = {
        "albedo": _numbers(files["albedo"]),
        "normals": normals_of_house(normals),
        "shading": shading_of(normals, light),
    }
    return Case(face.name, photo, truth, _mask(face, photo), {"light": light_of_house(light)})


def face_sample(case: Case, side: int, rng: np.random.Generator | None = None) -> Sample:
    """A square of ``side`` pixels with every key of :data:`~iid_residual.data.source.KEYS`: the
    middle one or, with ``rng``, one a little smaller and moved."""
    height, width = case.mask.shape
    window = middle_window(height, width)
    if rng is not None:
        window = _moved(window, rng)
    sample = dict(cut(case, window, side, frozenset({"light"})))
    inside = window.of(case.mask)
    outline = resize(inside.astype(np.float32), side)
    sample["silhouette"] = outline[..., None]
    sample["label"] = np.full(1, bool(case.truth), np.float32)
    return sample if case.truth else {**sample, **_nothing(side)}


def _nothing(side: int) -> Sample:
    """What stands for the truth of a photo that has none."""
    black = np.zeros((side, side, 3), np.float32)
    light = np.zeros(27, np.float32)
    return {**dict.fromkeys(_LAYERS, black), "light": light}


def _moved(whole: Window, rng: np.random.Generator) -> Window:
    """A square a little smaller than ``whole``, somewhere inside it."""
    share = rng.uniform(_SMALLEST, 1)
    size = max(1, round(whole.size * share))
    room = whole.size - size + 1
    down, right = rng.integers(room, size=2).tolist()
    top = whole.top + down
    left = whole.left + right
    return Window(top, left, size)


def _numbers(path: Path) -> Image:
    return read_photo(path, "linear").pixels


def _mask(face: Face, photo: Image) -> NDArray[np.bool_]:
    """Of its file; everywhere where there is none."""
    if "mask" in face.files:
        return read_mask(face.files["mask"])
    return np.ones(photo.shape[:2], bool)
