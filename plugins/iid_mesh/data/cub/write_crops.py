"""CUB-200-2011 → crops on disk, so that training need not cut 12,000 photos again and again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from iid_mesh.data.cub.reader import Cub
from intrinsic_cli.api import Case, Progress
from intrinsic_cli.kit.files.atomic import write_text
from intrinsic_cli.kit.files.photo import write_png
from intrinsic_cli.kit.light.colour import encode_codes

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Split

#: The files' names of the splits.
SPLITS: dict[str, Split] = {"train": "train", "test": "val"}


def write_crops(source: Path, out: Path, progress: Progress) -> int:
    """Write ``images/NAME.png``, ``masks/NAME.png`` (256²), which are a folder for the dataset
    ``objects``, and ``{train,test}.json`` (name → class, keypoints [15,3] in −1..1 of the crop).
    Crops that are there already are skipped. Returns how many were written."""
    cub = Cub(source)
    for folder in ("images", "masks"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    progress.start("cub", sum(cub.counts(split)["photo"] for split in SPLITS.values()))
    written = 0
    for name, split in SPLITS.items():
        about = {}
        for bird, case in zip(cub.birds(split), cub.cases(split), strict=True):
            points = case.facts["keypoints"].astype(float).round(5)
            about[case.name] = {"class": bird.photo.parent.name, "keypoints": points.tolist()}
            written += _write(case, out)
            progress.advance()
        write_text(out / f"{name}.json", json.dumps(about))
    progress.finish()
    return written


def _write(case: Case, out: Path) -> int:
    """How many crops were written: 1, or 0 where it is there."""
    photo = out / "images" / f"{case.name}.png"
    silhouette = out / "masks" / f"{case.name}.png"
    if photo.is_file() and silhouette.is_file():
        return 0
    write_png(photo, encode_codes(case.photo.copy(), 8))
    inside = (case.truth["silhouette"] > 0.5).astype(np.uint8)
    write_png(silhouette, np.repeat(inside * 255, 3, axis=-1))
    return 1
