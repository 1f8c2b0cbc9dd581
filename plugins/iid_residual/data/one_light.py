"""Rendered heads, each under one light after the other: its own lights alone, then lamps of
harmonics from known directions. Paint and pose stay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from iid_residual.data.compose import Head, cut_out
from iid_residual.data.heads import CASE, HeadScenes, notes_on_points
from iid_residual.data.yale import direction_of
from intrinsic_cli.api import Case, DataError, Source
from intrinsic_cli.kit.data import harmonics
from intrinsic_cli.kit.data.readers import LazyCases
from intrinsic_cli.kit.data.synth.members import require_splits
from intrinsic_cli.kit.data.synth.shards import ALBEDO, SHADING
from intrinsic_cli.kit.light.white import white_gain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intrinsic_cli.api.data import Batch, Split
    from intrinsic_cli.api.outputs import Image

#: Azimuth and elevation of the lamps, degrees.
LAMPS = ((0, 0), (40, 10), (-40, 10), (65, 20), (-65, 20), (0, 45))
_EVEN = 1.4  # of a lamp's own even part: some light comes from everywhere
_DARKEST, _DIMMEST = 0.01, 0.01
_EXPOSED = 0.9  # where the brightest of a head comes to lie
_BLACK, _CLIPPED = 0.002, 1.0


@dataclass(frozen=True, slots=True)
class _Lit:
    """The ``head``-th of a split under its ``light``-th light; lamps come behind its own."""

    split: Split
    head: int
    light: int


class HeadsLight(Source):
    """The heads of shards, one light a case, all exposed alike: their brightest is nearly white.

    ``facts`` also hold the ``outline`` [H,W] of the head and, under a lamp, its name."""

    name = "heads-light"
    protocol = "faces-light"
    offers = frozenset({"photo", "albedo", "normals", "light", "mask"})

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._opened: dict[str, HeadScenes] = {}
        self.notes = notes_on_points(folder)

    def batches(
        self, split: Split, size: int, crop: int, seed: int = 0, start: int = 0
    ) -> Iterator[Batch]:
        """Always a DataError."""
        raise DataError("heads-light is for measuring only", "train on the dataset heads")

    def cases(self, split: Split = "val") -> Sequence[Case]:
        """Head by head."""
        heads = self._heads(split)
        places = []
        for head in range(len(heads)):
            own = len(heads.scene(head).shadings)
            places += [_Lit(split, head, light) for light in range(own + len(LAMPS))]
        return LazyCases(places, self._case)

    def _heads(self, split: Split) -> HeadScenes:
        if split not in self._opened:
            self._opened[split] = HeadScenes(self._folder / split)
        return self._opened[split]

    def _case(self, lit: _Lit) -> Case:
        heads = self._heads(lit.split)
        scene = heads.scene(lit.head)
        points, pose = heads.pose(scene)
        head = cut_out(scene, points, pose, CASE)
        albedo = np.maximum(ALBEDO[head.albedos[0]], _DARKEST).astype(np.float32)
        under = _under(head, albedo, lit.light)
        photo, gain = _exposed(albedo * under.shading, head)
        level = photo.max(axis=2)
        mask = head.inside & (level < _CLIPPED) & (level > _BLACK)
        facts = {
            "scene": scene.key,
            "light": under.light * gain,
            "outline": head.inside,
            "lamp": under.lamp,
        }
        name = under.lamp or f"_light{lit.light}"
        truth = {"albedo": albedo, "normals": head.normals}
        return Case(f"{scene.key}{name}", photo, truth, mask, facts)


def _exposed(light: Image, head: Head) -> tuple[Image, np.float32]:
    """The photo of what arrives, and what that was multiplied by."""
    gain = np.float32(_EXPOSED * white_gain(light, head.inside))
    return np.minimum(light * gain, 1), gain


def open_heads_light(path: Path) -> HeadsLight:
    """``SHARDS``, as of the dataset heads."""
    require_splits(path)
    return HeadsLight(path)


def lamp(azimuth: float, elevation: float) -> NDArray[np.float64]:
    """A white light [27]: most of it a lamp at these degrees, the rest from everywhere."""
    nine = harmonics.harmonics(direction_of(azimuth, elevation)[None])[0]
    nine[0] *= _EVEN
    return np.tile(nine, 3)


@dataclass(frozen=True, slots=True)
class _Under:
    """One light of a head: its harmonics [27], the shading [h,w,3] it makes, highlights included,
    and of a lamp its name."""

    light: NDArray[np.floating]
    shading: Image
    lamp: str = ""


def _under(head: Head, albedo: Image, number: int) -> _Under:
    own = len(head.shadings)
    if number >= own:
        return _under_lamp(head, *LAMPS[number - own])
    shading = SHADING[head.shadings[number]]
    if number in head.highlights:
        highlight = SHADING[head.highlights[number]]
        shading = shading + highlight / albedo
    return _Under(head.lights[number], np.asarray(shading, np.float32))


def _under_lamp(head: Head, azimuth: int, elevation: int) -> _Under:
    light = lamp(azimuth, elevation)
    shading = np.maximum(harmonics.shade(head.normals, light), _DIMMEST)
    return _Under(light, shading, f"A{azimuth:+04d}E{elevation:+03d}")
