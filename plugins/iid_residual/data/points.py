"""Eyes, nose and mouth corners of rendered heads, found as in any photo: ``iid datasets prepare
heads``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from iid_residual.data.heads import POINTS
from iid_residual.faces.find import can_find, find_faces
from intrinsic_cli.api import Progress, UsageError
from intrinsic_cli.kit.data.synth.members import SPLITS, read_known, require_splits
from intrinsic_cli.kit.data.synth.shards import ALBEDO, SHADING, Shards
from intrinsic_cli.kit.files.atomic import write_text

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.kit.data.synth.shards import Scene

_MEAN = 0.2  # of white: the mean of a photo in which faces are looked for
_EVERY = 50  # heads after which what was found is written


def write_points(source: Path, out: Path, progress: Progress) -> int:
    """Write ``faces.json`` of either split of ``source``: key → five points, 0..1 of the picture.
    ``out`` is the same folder where the dataset is to be opened there. Points that are there
    already are kept; how many were found now. UsageError where there is nothing to find them
    with."""
    if not can_find(""):
        hint = "pip install 'intrinsic-cli[faces]'"
        raise UsageError("there is nothing to find faces with", hint)
    require_splits(source)
    splits = [split for split in SPLITS if (source / split).is_dir()]
    return sum(_write_split(source / split, out / split, progress) for split in splits)


def _write_split(shards: Path, out: Path, progress: Progress) -> int:
    scenes = Shards(shards, keep=0)
    target = out / POINTS
    points = read_known(target)
    keys = scenes.keys()
    wanted = [i for i, key in enumerate(keys) if key.startswith("face") and key not in points]
    out.mkdir(parents=True, exist_ok=True)
    progress.start(f"faces of {shards.name}", len(wanted))
    found = 0
    for number, place in enumerate(wanted, 1):
        there = points_of(scenes[place])
        if there is not None:
            points[keys[place]] = there
            found += 1
        if number % _EVERY == 0:
            write_text(target, json.dumps(points))
        progress.advance()
    progress.finish()
    write_text(target, json.dumps(points))
    progress.note(f"{target}: {found} of {len(wanted)} faces were found")
    return found


def points_of(scene: Scene) -> Any:
    """Five points [5][2], 0..1 of the picture, of the largest face of a scene; None where none is
    found under any of its lights."""
    for photo in _lit_photos(scene):
        faces = find_faces(photo, most=1)
        if faces:
            shares = faces[0].points / scene.side
            return np.round(shares, 5).tolist()
    return None


def _lit_photos(scene: Scene) -> Iterator[Image]:
    """The scene under all of its lights, then under one after the other."""
    albedo = ALBEDO[scene.albedos[0]]
    lights = [SHADING[codes] for codes in scene.shadings]
    mean = np.mean(lights, axis=0)
    for shading in (mean, *lights):
        photo = albedo * shading
        gain = _MEAN / max(float(photo.mean()), 1e-4)
        yield np.clip(photo * gain, 0, 1).astype(np.float32)
