"""IIW, Intrinsic Images in the Wild (Bell et al. 2014): photos of rooms with people's judgements of
lightness.

Layout from memory: verify. ``data/ID.png`` with ``data/ID.json``; the JSON holds
``intrinsic_points`` (``id``, ``x``, ``y`` in 0..1, ``opaque``) and ``intrinsic_comparisons``
(``point1``, ``point2``, ``darker``, ``darker_score``)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from intrinsic_cli.api import Case, DataError
from intrinsic_cli.kit.data.layer_files import refuse_empty
from intrinsic_cli.kit.data.layouts import IIW
from intrinsic_cli.kit.data.readers import MeasuringReader
from intrinsic_cli.kit.files.photo import read_photo

_DARKER = {"E": 0, "1": 1, "2": 2}


class Iiw(MeasuringReader[Path]):
    """``val`` is every fifth photo of the sorted ids (1046 of 5230), ``train`` the others; there is
    no dense truth.

    ``facts["judgements"]``: ``points`` [N,2,2], ``darker`` [N] (0 equal, 1, 2), ``weights`` [N];
    only comparisons of opaque points with a positive score."""

    name = "iiw"
    offers = frozenset({"photo", "judgements"})

    def __init__(self, folder: Path, protocol: str = "whdr") -> None:
        self.protocol = protocol
        root = folder / "data" if (folder / "data").is_dir() else folder
        found = [path for path in root.glob("*.json") if path.stem.isdecimal()]
        told = sorted(found, key=lambda path: int(path.stem))
        if not told:
            refuse_empty("IIW judgements", folder, IIW)
        held = told[::5]
        others = [path for number, path in enumerate(told) if number % 5]
        self._entries = {"val": held, "train": others}
        self._require_files("IIW", root, IIW)

    def _case(self, entry: Path) -> Case:
        photo = read_photo(entry.with_suffix(".png")).pixels
        facts = {"judgements": read_judgements(entry)}
        return Case(entry.stem, photo, {}, np.ones(photo.shape[:2], bool), facts)

    def _files(self, entry: Path) -> Sequence[Path]:
        return [entry.with_suffix(".png")]


def read_judgements(path: Path) -> dict[str, Any]:
    """The judgements of one JSON file as arrays. DataError if it is not one."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        points = {point["id"]: point for point in told["intrinsic_points"]}
        rows = [_judgement(comparison, points) for comparison in told["intrinsic_comparisons"]]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path} holds no IIW judgements: {error!r}", "download it again"
        ) from error
    found = [row for row in rows if row]
    return {
        "points": np.array([row[0] for row in found], np.float64).reshape(-1, 2, 2),
        "darker": np.array([row[1] for row in found], np.int64),
        "weights": np.array([row[2] for row in found], np.float64),
    }


def _judgement(
    comparison: dict[str, Any], points: dict[Any, Any]
) -> tuple[list[list[float]], int, float] | None:
    """The two places, the verdict and its weight; None where it does not count."""
    pair = [points[comparison[name]] for name in ("point1", "point2")]
    weight = comparison["darker_score"]
    if comparison["darker"] not in _DARKER or not weight or weight <= 0:
        return None
    if not all(point["opaque"] for point in pair):
        return None
    return [[p["x"], p["y"]] for p in pair], _DARKER[comparison["darker"]], float(weight)


def open_iiw(path: Path) -> Iiw:
    """Judged in linear light."""
    return Iiw(path)


def open_encoded(path: Path) -> Iiw:
    """Judged in sRGB codes."""
    return Iiw(path, "whdr-encoded")
