"""The protocol: how far normals are off inside the face, where the light comes from, and how many
faces were found in all photos together."""

from __future__ import annotations

from typing import Any

import numpy as np

from intrinsic_cli.api import Case, Metric, Protocol


def score(case: Case, answer: Any) -> dict[str, float]:
    scores = {}
    if "normals" in answer:
        cosine = (answer["normals"] * case.truth["normals"]).sum(axis=2)[case.mask]
        scores["normals_angle"] = float(np.degrees(np.arccos(cosine.clip(-1, 1))).mean())
    if "light" in answer:
        towards = np.array(answer["light"]["faces"][0]["towards"])
        cosine = float(towards @ case.facts["light"][1:4])
        scores["light_angle"] = float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
    return scores


class Found:
    """The share of photos in which a face was found."""

    def __init__(self) -> None:
        self.faces: list[int] = []

    def add(self, case: Case, answer: Any, scores: Any) -> None:
        self.faces.append(len(answer.get("light", {}).get("faces", ())))

    def scores(self) -> dict[str, float]:
        return {"found": 100.0 * sum(map(bool, self.faces)) / max(1, len(self.faces))}


DISCS = Protocol(
    name="discs",
    summary="angles inside the face",
    source="made up",
    score=score,
    metrics={"angle": Metric("lower", "°"), "found": Metric("higher", "%")},
    headline="normals_angle",
    reads=("light",),
    pool=Found,
)
