"""CUB-200-2011 → crops on disk, so that training need not warp 12,000 photos again and again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from intrinsic_cli.api import Case, Progress
from intrinsic_cli.kit.data.cub.reader import Cub, keypoints_in_crop
from intrinsic_cli.kit.files.atomic import write_text
from intrinsic_cli.kit.files.photo import write_png
from intrinsic_cli.kit.light.colour import encode_codes

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Split
    from intrinsic_cli.kit.data.cub.tables import Bird

#: The files' names of the splits.
SPLITS: dict[str, Split] = {"train": "train", "test": "val"}


def write_crops(source: Path, out: Path, progress: Progress) -> int:
    """Write ``images/NAME.png``, ``masks/NAME.png`` (256²) and ``{train,test}.json`` (name → class,
    keypoints [15,3] in −1..1 of the crop) of every bird. Crops that are there already are skipped.
    Returns how many were written."""
    cub = Cub(source)
    for folder in ("images", "masks"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    progress.start("cub", sum(cub.counts(split)["photo"] for split in SPLITS.values()))
    written = 0
    for name, split in SPLITS.items():
        cases = cub.cases(split)
        about = {}
        for place, bird in enumerate(cub.birds(split)):
            about[bird.place.stem] = _about(bird)
            files = _files(out, bird)
            if not all(path.is_file() for path in files):
                _write(cases[place], *files)
                written += 1
            progress.advance()
        write_text(out / f"{name}.json", json.dumps(about))
    progress.finish()
    return written


def _about(bird: Bird) -> dict[str, Any]:
    """What the list says of a bird."""
    points = keypoints_in_crop(bird).round(5)
    return {"class": bird.place.parent.name, "keypoints": points.tolist()}


def _files(out: Path, bird: Bird) -> tuple[Path, Path]:
    """Where its photo and its silhouette go."""
    name = f"{bird.place.stem}.png"
    return out / "images" / name, out / "masks" / name


def _write(case: Case, photo_path: Path, silhouette_path: Path) -> None:
    write_png(photo_path, encode_codes(case.photo.copy(), 8))
    inside = (case.truth["silhouette"] > 0.5).astype(np.uint8)
    write_png(silhouette_path, np.repeat(inside * 255, 3, axis=-1))
