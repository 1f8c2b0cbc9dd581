"""Tiny, the miniature dataset of tests: little made-up scenes that offer whatever key is asked for.

A method is checked on it without any file. The scenes are simple but true: albedo · shading (and
residual, if asked for) is the photo, depth belongs to the normals, the summands add up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from intrinsic_cli.api import Case, DatasetSpec, Source
from intrinsic_cli.api.data import ROWS, Row
from intrinsic_cli.api.outputs import SUMMANDS
from intrinsic_cli.kit.data.harmonics import harmonics
from intrinsic_cli.kit.data.readers import LazyCases
from intrinsic_cli.kit.data.rows import collate, kind_of_row

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intrinsic_cli.api.data import Batch, Split

#: What Tiny always offers.
OFFERS = frozenset({"photo", "albedo", "shading", "mask", "normals"})
TINY = DatasetSpec(
    name="tiny",
    summary="made-up little scenes",
    target="intrinsic_cli.testing_source:open_tiny",
    offers=OFFERS,
    layout="KEY[=ROW],KEY[=ROW],…",
    needs_path=False,
    several=True,
)
ODD = (37, 51)  # a photo size no network has as a multiple
POINTS = 15  # in a row of points
NUMBERS = 4  # in a row of numbers
PHOTOS = 64  # in a split; enough to be cut into parts
VALIDATION = 1 << 20  # the seed of validation
_PATCHES = 6  # of colour
_STEEP = 0.075  # height of the waves of the ground
_EVEN = 0.2  # light from everywhere
#: Keys of the truth of a case; the others are facts.
_TRUTH = ("planes", "vectors")


def tiny_offering(needs: Iterable[str], rows: Mapping[str, Row] | None = None) -> DatasetSpec:
    """Tiny with whatever a method ``needs``; ``rows`` gives the kinds of keys of its own.

    PluginError for a key whose kind nobody has said."""
    keys = OFFERS | frozenset(needs)
    own = {key: kind_of_row(key, rows) for key in keys if key not in ROWS}
    return replace(TINY, offers=keys, rows=own)


def data_text(spec: DatasetSpec) -> str:
    """What is written after ``--data`` to open a dataset that needs no path."""
    if spec.target != TINY.target:
        return spec.name
    keys = [f"{key}={spec.rows[key]}" if key in spec.rows else key for key in sorted(spec.offers)]
    return f"{spec.name}:{','.join(keys)}"


def open_tiny(path: Path | None = None) -> Tiny:
    """The reader behind :data:`TINY`: the file name of ``path`` holds keys with commas between,
    each perhaps with its kind behind ``=``."""
    rows: dict[str, Row] = {}
    keys = set(OFFERS)
    for text in path.name.split(",") if path else ():
        key, _, kind = text.partition("=")
        keys.add(key)
        for known in get_args(Row):
            if kind == known:
                rows[key] = known
    return Tiny(offers=frozenset(keys), rows=rows)


@dataclass(frozen=True)
class Tiny(Source):
    """Patches of colour on a wavy ground under one light, made up from a seed. ``key`` tells parts
    of it apart."""

    name: str = "tiny"
    protocol: str = "synth"
    offers: frozenset[str] = OFFERS
    rows: Mapping[str, Row] = field(default_factory=dict)
    key: int = 0

    def part(self, index: int, count: int) -> Tiny:
        """Scenes of other seeds."""
        return replace(self, key=self.key * count + index + 1)

    def batches(
        self, split: Split, size: int, crop: int, seed: int = 0, start: int = 0
    ) -> Iterator[Batch]:
        """See :meth:`intrinsic_cli.api.Source.batches`; ``val`` has two batches."""
        number = start
        if split == "val":
            seed = VALIDATION
        while split == "train" or number < 2:
            scenes = [self._scene((seed, number, row), (crop, crop)) for row in range(size)]
            yield collate(scenes, self.rows)
            number += 1

    def counts(self, split: Split) -> Mapping[str, int]:
        """Made up as they are asked for, there are as many as anybody needs."""
        return {"photo": PHOTOS}

    def cases(self, split: Split = "val") -> Sequence[Case]:
        """Three scenes of an odd size."""
        return LazyCases(range(3), lambda number: self._case(number, split))

    def _case(self, number: int, split: Split) -> Case:
        scene = self._scene((number, split == "val"), ODD)
        truth: dict[str, Any] = {}
        facts: dict[str, Any] = {}
        for key in self.offers - {"photo", "mask"}:
            pictured = kind_of_row(key, self.rows) in _TRUTH
            (truth if pictured else facts)[key] = scene[key]
        mask = scene["mask"][..., 0] > 0
        return Case(f"scene{number}", scene["photo"], truth, mask, facts)

    def _scene(self, seed: Sequence[int], size: tuple[int, int]) -> dict[str, NDArray[np.float32]]:
        """One scene: the arrays of every key on offer."""
        if self.key:
            seed = (self.key, *seed)
        rng = np.random.default_rng(seed)
        made = scene(rng, *size, residual="residual" in self.offers)
        arrays = {}
        for key in sorted(self.offers):
            array = made.get(key)
            if array is None:
                array = _extra(key, kind_of_row(key, self.rows), rng, made)
            arrays[key] = np.ascontiguousarray(array, np.float32)
        return arrays


def scene(
    rng: np.random.Generator, height: int, width: int, residual: bool = False
) -> dict[str, NDArray[Any]]:
    """One scene: planes [H,W,C], linear; ``light`` [27]. Without ``residual`` it is zero."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    patch = _patches(rng, y, x)
    albedo = _paint(rng)[patch]
    normals, depth = _wavy_ground(rng, y / height, x / width)
    lamp = _lamp(rng)
    facing = np.stack([np.maximum(normals @ lamp, 0)] * 3, axis=2)
    shading = _EVEN + facing
    gloss = facing**20 * float(residual)
    photo = albedo * shading + gloss
    made = {
        "photo": photo,
        "albedo": albedo,
        "shading": shading,
        "residual": gloss,
        "mask": _mask(height, width),
        "normals": normals,
        "depth": depth[..., None],
        "silhouette": patch[..., None] > 0,
        "light": _light(lamp),
    }
    return made | _summands(photo)


def _paint(rng: np.random.Generator) -> NDArray[Any]:
    """A colour [3] for every patch."""
    return rng.uniform(0.1, 0.9, (_PATCHES, 3))


def _mask(height: int, width: int) -> NDArray[Any]:
    """[H,W,1], with a hole in it, as real truth has."""
    mask = np.ones((height, width, 1))
    mask[:2] = 0
    return mask


def _lamp(rng: np.random.Generator) -> NDArray[Any]:
    """The direction [3] of a lamp before the scene."""
    right, up = rng.uniform(-0.6, 0.6, 2)
    lamp = np.array([right, up, 1.0])
    return np.asarray(lamp / np.linalg.norm(lamp))


def _patches(rng: np.random.Generator, y: NDArray[Any], x: NDArray[Any]) -> NDArray[np.intp]:
    """[H,W], to which of the patches of colour a pixel belongs: that of the nearest seed."""
    distances = []
    for seed in rng.uniform(0, 1, (_PATCHES, 2)):
        down, right = seed * y.shape
        distance = np.hypot(y - down, x - right)
        distances.append(distance)
    return np.asarray(np.argmin(distances, axis=0))


def _wavy_ground(
    rng: np.random.Generator, y: NDArray[Any], x: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Unit normals [H,W,3] of a ground of sines (x right, y up, z to the viewer), and its distance
    [H,W]."""
    along, across, phase = rng.uniform(2, 8, 3)
    wave = along * x + across * y + phase
    slope = _STEEP * np.cos(wave)
    normals = np.stack(
        [-slope * along, slope * across, np.ones_like(slope)],
        axis=2,
    )
    length = np.linalg.norm(normals, axis=2, keepdims=True)
    distance = 2 - _STEEP * np.sin(wave)
    return np.asarray(normals / length), np.asarray(distance)


def _light(lamp: NDArray[Any]) -> NDArray[Any]:
    """The 27 coefficients of a white lamp in the direction [3] and of even light about it."""
    nine = np.pi * harmonics(lamp)  # its light is 1 on a surface that faces it
    nine[0] += _EVEN * np.sqrt(4 * np.pi)
    return np.tile(nine, 3)


def _summands(photo: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Layers that add up to the photo: its larger part, and what a pane and a lens might add."""
    shares = dict(zip(SUMMANDS, (0.7, 0.2, 0.1), strict=True))
    return {name: photo * share for name, share in shares.items()}


def _extra(
    key: str, kind: Row, rng: np.random.Generator, made: Mapping[str, NDArray[Any]]
) -> NDArray[Any]:
    """A row that is not part of the scene: of the right kind and shape, random where it must be."""
    name = key.removeprefix("true ")
    if name in made:
        return made[name]
    if key.endswith("_mask"):
        return made["mask"]
    if kind == "planes":
        return np.asarray(made["photo"].mean(-1, keepdims=True))
    if kind == "vectors":
        return made["normals"]
    if kind == "light":
        return made["light"]
    if kind == "numbers":
        return rng.uniform(0, 1, NUMBERS)
    places = rng.uniform(-1, 1, (POINTS, 2))
    visible = rng.random((POINTS, 1)) < 0.8
    return np.hstack([places, visible])


def expect(holds: bool, promise: str) -> None:
    """AssertionError, with the promise that is broken, unless it holds."""
    if not holds:
        raise AssertionError(f"broken promise: {promise}")
