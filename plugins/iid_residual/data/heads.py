"""Rendered heads in shards as a dataset, with photos of real faces beside them if there are any."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from iid_residual.data.compose import compose, cut_out, head_of
from iid_residual.faces.template import TEMPLATE, Pose, pose_of
from intrinsic_cli.api import Case, DataError, Source
from intrinsic_cli.kit.data.readers import LazyCases
from intrinsic_cli.kit.data.rows import collate, mirror
from intrinsic_cli.kit.data.sampling import endless_batches, shuffled_place, single_pass
from intrinsic_cli.kit.data.synth.shards import Shards
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.photo import read_photo

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch, Row, Split
    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.kit.data.rows import Sample
    from intrinsic_cli.kit.data.synth.shards import Scene

#: Where eyes, nose and mouth corners of the heads are: key → five pairs, 0..1 of the picture.
POINTS = "faces.json"
#: The side of the photos that are measured with.
CASE = 192
_REAL = (".jpg", ".jpeg", ".png", ".webp")
_NARROWEST = 16.0  # pixels of a head
_REAL_SHARE = 0.5  # of the samples where there are real photos


class Heads(Source):
    """The scenes of faces in shards below ``folder``/train and ``folder``/val.

    ``label`` is 1 for a rendered head and 0 for a photo of the folder ``real``, which has no truth:
    its layers are 0. Training shows both by turns."""

    name = "heads"
    protocol = "faces"
    offers = frozenset(
        {"photo", "albedo", "shading", "normals", "light", "mask", "silhouette", "label"}
    )

    def __init__(self, folder: Path, real: Path | None = None) -> None:
        self._folder = folder
        self.rows: Mapping[str, Row] = {"label": "numbers"}
        self._opened: dict[str, _HeadScenes] = {}
        self._real: list[Path] = []
        if real is not None:
            files = real.rglob("*")
            self._real = sorted(path for path in files if path.suffix in _REAL)

    def batches(
        self, split: Split, size: int, crop: int, seed: int = 0, start: int = 0
    ) -> Iterator[Batch]:
        """See :meth:`Source.batches`. Validation shows every head once, unmoved."""
        scenes = self._scenes(split)
        if split == "val":
            for places in single_pass(len(scenes), size):
                yield collate([_labelled(scenes.still(i, crop)) for i in places], self.rows)
            return
        for numbers in endless_batches(size, start):
            yield collate([self._draw(scenes, seed, n, crop) for n in numbers], self.rows)

    def cases(self, split: Split = "val") -> Sequence[Case]:
        """Every head once, cut out."""
        scenes = self._scenes(split)
        return LazyCases(range(len(scenes)), lambda index: _case(scenes, index))

    def first(self, count: int) -> Heads:
        """The first ``count`` heads of the training split, and all of the others."""
        some = copy(self)
        some._opened = {"train": self._scenes("train").first(count)}
        return some

    def counts(self, split: Split) -> Mapping[str, int]:
        """How many heads there are, and how many real photos."""
        counts = {"photo": len(self._scenes(split))}
        if self._real and split == "train":
            counts["real photo"] = len(self._real)
        return counts

    def _scenes(self, split: Split) -> _HeadScenes:
        if split not in self._opened:
            self._opened[split] = _HeadScenes(self._folder / split)
        return self._opened[split]

    def _draw(self, scenes: _HeadScenes, seed: int, number: int, side: int) -> Sample:
        rng = np.random.default_rng((seed, 1, number))
        if self._real and rng.random() < _REAL_SHARE:
            place = shuffled_place(number, len(self._real), seed)
            sample = _unknown(self._real[place], side)
        else:
            place = shuffled_place(number, len(scenes), seed)
            sample = _labelled(scenes.varied(place, side, rng))
        return mirror(sample, self.rows) if rng.random() < 0.5 else sample


class _HeadScenes:
    """The faces of one split."""

    def __init__(self, folder: Path) -> None:
        self._shards = Shards(folder)
        self._points = _read_points(folder / POINTS)
        keys = self._shards.keys()
        self._places = [place for place, key in enumerate(keys) if key.startswith("face")]
        if not self._places:
            raise DataError(f"{folder} holds no rendered heads", "render some: --mix face=1")

    def __len__(self) -> int:
        return len(self._places)

    def first(self, count: int) -> _HeadScenes:
        """The first ``count`` of them."""
        some = copy(self)
        some._places = self._places[:count]
        return some

    def scene(self, index: int) -> Scene:
        """A scene, decoded."""
        return self._shards[self._places[index]]

    def pose(self, scene: Scene) -> tuple[Image, Pose]:
        """The five points of a scene in pixels [5,2], and the square they lie in."""
        side = scene.ids.shape[0]
        if scene.key in self._points:
            points = np.asarray(self._points[scene.key], np.float32) * side
            return points, pose_of(points)
        return _guessed(scene)

    def still(self, index: int, side: int) -> Sample:
        """A head under light, paint and camera that depend on its place alone."""
        scene = self.scene(index)
        points, pose = self.pose(scene)
        return compose(cut_out(scene, points, pose, side), np.random.default_rng((7, index)), True)

    def varied(self, index: int, side: int, rng: np.random.Generator) -> Sample:
        """A head, moved and turned a little, as faces are that a detector has found."""
        scene = self.scene(index)
        points, pose = self.pose(scene)
        right, down = rng.normal(0, 0.03, 2).tolist()
        larger = float(np.exp(rng.normal(0.05, 0.14)))
        turned = float(rng.normal(0, 8))
        moved = pose.moved(right, down, larger, turned)
        head = cut_out(scene, points, moved, side)
        return compose(head, rng)


def open_heads(path: Path) -> Heads:
    """``SHARDS``, or ``SHARDS,PHOTOS`` with a folder of faces that have no truth."""
    folder, comma, real = str(path).partition(",")
    if not (Path(folder) / "train").is_dir() and not (Path(folder) / "val").is_dir():
        raise DataError(
            f"{folder} has no train/ or val/ folder of shards", "give the folder above them"
        )
    if comma and not Path(real).is_dir():
        raise DataError(f"{real} is no folder of photos")
    return Heads(Path(folder), Path(real) if comma else None)


def _case(scenes: _HeadScenes, index: int) -> Case:
    sample = scenes.still(index, CASE)
    truth = {name: sample[name] for name in ("albedo", "shading", "normals")}
    mask = sample["mask"][..., 0] > 0
    key = scenes.scene(index).key
    return Case(key, sample["photo"], truth, mask, {"light": sample["light"]})


def _labelled(sample: Sample) -> Sample:
    return {**sample, "label": np.ones(1, np.float32)}


def _unknown(path: Path, side: int) -> Sample:
    """The middle square of a photo, without truth."""
    pixels = read_photo(path).pixels
    shorter = min(pixels.shape[:2])
    top, left = ((length - shorter) // 2 for length in pixels.shape[:2])
    square = pixels[top : top + shorter, left : left + shorter]
    photo = np.asarray(cv2.resize(square, (side, side), interpolation=cv2.INTER_AREA), np.float32)
    empty = np.zeros_like(photo)
    return {
        "photo": photo,
        "albedo": empty,
        "shading": empty,
        "normals": empty,
        "light": np.zeros(27, np.float32),
        "mask": np.ones((side, side, 1), np.float32),
        "silhouette": np.ones((side, side, 1), np.float32),
        "label": np.zeros(1, np.float32),
    }


def _read_points(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        points: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path} is not readable: {error}") from error
    return points


def _guessed(scene: Scene) -> tuple[Image, Pose]:
    """Where the face probably is, by the head's outline: shards of others name no points."""
    middle = scene.ids.shape[0] / 2
    rows, columns = np.nonzero(head_of(scene, np.full((5, 2), middle, np.float32)))
    if not rows.size:
        rows = columns = np.array([0, scene.ids.shape[0] - 1])
    # The lower half of the outline is as wide as the shoulders.
    upper = columns[rows <= np.median(rows)]
    width = max(float(np.ptp(upper)), _NARROWEST)
    x = float(np.median(upper))
    y = float(rows.min()) + 0.62 * width
    pose = Pose(x, y, 1.3 * width)
    inside = np.asarray(TEMPLATE) - 0.5
    points = inside * pose.side + (x, y)
    return points.astype(np.float32), pose
