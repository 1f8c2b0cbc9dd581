"""CUB-200-2011 → crops on disk, so that training need not warp 12,000 photos again and again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from intrinsic_cli.api import Progress
from intrinsic_cli.api.data import Split
from intrinsic_cli.kit.data.cub.reader import SIDE, Bird, Cub
from intrinsic_cli.kit.files.atomic import write_text
from intrinsic_cli.kit.files.photo import write_png
from intrinsic_cli.kit.light.colour import encode_codes

SPLITS: dict[str, Split] = {"train": "train", "test": "val"}


def prepare(source: Path, out: Path, progress: Progress) -> int:
    """Write ``images/NAME.png``, ``masks/NAME.png`` (256²) and ``{train,test}.json`` (name → class,
    keypoints [15,3] in −1..1 of the crop) of every bird. Crops that are there already are skipped.
    Returns how many were written."""
    cub = Cub(source)
    for folder in ("images", "masks"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    progress.start("cub", sum(cub.counts(split)["photo"] for split in SPLITS.values()))
    written = 0
    for name, split in SPLITS.items():
        told = {}
        for bird in cub.birds(split):
            written += _write(cub, bird, out)
            told[bird.place.stem] = {
                "class": bird.place.parent.name,
                "keypoints": cub.points(bird).round(5).tolist(),
            }
            progress.advance()
        write_text(out / f"{name}.json", json.dumps(told))
    progress.finish()
    return written


def _write(cub: Cub, bird: Bird, out: Path) -> bool:
    picture, silhouette = (
        out / folder / f"{bird.place.stem}.png" for folder in ("images", "masks")
    )
    if picture.is_file() and silhouette.is_file():
        return False
    case = cub.crop(bird, SIDE)
    write_png(picture, encode_codes(case.photo.copy(), 8))
    write_png(silhouette, np.repeat((case.truth["mask"] > 0.5).astype(np.uint8) * 255, 3, axis=-1))
    return True
