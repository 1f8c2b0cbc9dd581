"""The dataset: one round face a photo, at a place and under a light made up from a seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from iid_face import OFFERS
from intrinsic_cli.api import Case, Source
from intrinsic_cli.kit.data.readers import LazyCases
from intrinsic_cli.kit.data.rows import collate

COLOUR = (0.8, 0.5, 0.3)


class Discs(Source):
    """Any number of faces; three to measure with."""

    name, protocol, offers = "discs", "discs", OFFERS
    rows = {"pose": "numbers"}  # noqa: RUF012  read only

    def batches(
        self, split: Any, size: int, crop: int, seed: int = 0, start: int = 0
    ) -> Iterator[Mapping[str, Any]]:
        number = start
        while split == "train" or number < 2:
            keys = [(seed if split == "train" else 99, number, row) for row in range(size)]
            yield collate([disc(key, crop) for key in keys], self.rows)
            number += 1

    def cases(self, split: Any = "val") -> LazyCases:
        return LazyCases(range(3), lambda number: self._case(number, split))

    def _case(self, number: int, split: Any) -> Case:
        made = disc((1 + number, split == "val"), 64)
        truth = {"normals": made["normals"]}
        facts = {name: made[name] for name in ("light", "keypoints", "pose")}
        return Case(f"disc{number}", made["photo"], truth, made["silhouette"][..., 0] > 0, facts)


def disc(key: tuple[int, ...], side: int) -> dict[str, Any]:
    """One photo [side,side,3] with everything known about it."""
    rng = np.random.default_rng(key)
    y, x = np.mgrid[1 : -1 : side * 1j, -1 : 1 : side * 1j]
    centre, radius = rng.uniform(-0.3, 0.3, 2), rng.uniform(0.4, 0.6)
    across, up = (x - centre[0]) / radius, (y - centre[1]) / radius
    inside = across**2 + up**2 < 1
    z = np.sqrt(np.maximum(1 - across**2 - up**2, 0.05))
    normals = np.stack([across, up, z], axis=2)
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    towards = np.array([*rng.uniform(-0.5, 0.5, 2), 1.0])
    towards /= np.linalg.norm(towards)
    shading = 0.3 + np.maximum(normals @ towards, 0)
    photo = np.where(inside[..., None], shading[..., None] * COLOUR, 0.2)
    light = np.zeros(27)
    light[:4] = [1, *towards]
    made = {
        "photo": photo,
        "normals": normals,
        "silhouette": inside[..., None],
        "mask": np.ones((side, side, 1)),
        "keypoints": np.array([[centre[0], -centre[1], 1.0]]),
        "light": light,
        "pose": rng.uniform(-1, 1, 2),
    }
    return {name: np.ascontiguousarray(values, np.float32) for name, values in made.items()}


def open_discs(path: Path | None) -> Discs:
    """The reader the DatasetSpec points to."""
    return Discs()
