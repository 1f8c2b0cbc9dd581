"""Rendered heads in shards as a dataset, with photos of real faces beside them if there are any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from iid_residual.data.compose import compose, cut_out, head_of
from iid_residual.data.face_list import training_faces
from iid_residual.data.face_sample import face_case, face_sample
from iid_residual.data.source import FaceSource, shows_photo
from iid_residual.faces.template import TEMPLATE, Pose, pose_of
from intrinsic_cli.api import Case, DataError
from intrinsic_cli.kit.data.readers import LazyCases
from intrinsic_cli.kit.data.rows import collate, mirror
from intrinsic_cli.kit.data.sampling import endless_batches, shuffled_place, single_pass
from intrinsic_cli.kit.data.synth.members import SPLITS, Members, read_known, require_splits

if TYPE_CHECKING:
    from iid_residual.data.face_list import Face
    from intrinsic_cli.api.data import Batch, Split
    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.kit.data.rows import Sample
    from intrinsic_cli.kit.data.synth.shards import Scene

#: Where eyes, nose and mouth corners of the heads are: key → five pairs, 0..1 of the picture.
POINTS = "faces.json"
#: The side of the photos that are measured with.
CASE = 192
_NARROWEST = 16.0  # pixels of a head


class Heads(FaceSource):
    """The scenes of faces in shards below ``folder``/train and ``folder``/val.

    Training shows them by turns with ``photos`` of faces, if there are any."""

    name = "heads"

    def __init__(self, folder: Path, photos: Sequence[Face] = ()) -> None:
        self._folder, self._photos = folder, photos
        self.notes = notes_on_points(folder)
        self._opened: dict[str, HeadScenes] = {}

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
        if self._photos and split == "train":
            counts["other photo"] = len(self._photos)
        return counts

    def _scenes(self, split: Split) -> HeadScenes:
        if split not in self._opened:
            self._opened[split] = HeadScenes(self._folder / split)
        return self._opened[split]

    def _draw(self, scenes: HeadScenes, seed: int, number: int, side: int) -> Sample:
        rng = np.random.default_rng((seed, 1, number))
        if self._photos and shows_photo(seed, number):
            place = shuffled_place(number, len(self._photos), seed)
            sample = face_sample(face_case(self._photos[place]), side, rng)
        else:
            place = shuffled_place(number, len(scenes), seed)
            sample = _labelled(scenes.varied(place, side, rng))
        return mirror(sample, self.rows) if rng.random() < 0.5 else sample


class HeadScenes:
    """The faces of one split."""

    def __init__(self, folder: Path) -> None:
        self._points = read_known(folder / POINTS)
        self._members = Members(folder, lambda key: key.startswith("face"))
        if not len(self._members):
            hint = "give shards in which there are faces; the README says what shards are"
            raise DataError(f"{folder} holds no rendered heads", hint)

    def __len__(self) -> int:
        return len(self._members)

    def first(self, count: int) -> HeadScenes:
        """The first ``count`` of them."""
        some = copy(self)
        some._members = self._members.first(count)
        return some

    def scene(self, index: int) -> Scene:
        """A scene, decoded."""
        return self._members[index]

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
    """``SHARDS``, or ``SHARDS,PHOTOS`` with a folder of faces, most of which have no truth."""
    folder, comma, photos = str(path).partition(",")
    require_splits(Path(folder))
    return Heads(Path(folder), training_faces(Path(photos)) if comma else ())


def _case(scenes: HeadScenes, index: int) -> Case:
    sample = scenes.still(index, CASE)
    truth = {name: sample[name] for name in ("albedo", "shading", "normals")}
    mask = sample["mask"][..., 0] > 0
    key = scenes.scene(index).key
    return Case(key, sample["photo"], truth, mask, {"light": sample["light"]})


def notes_on_points(folder: Path) -> tuple[str, ...]:
    """What to do where a split does not name its points."""
    lacking = []
    for split in SPLITS:
        place = folder / split
        if place.is_dir() and not (place / POINTS).is_file():
            lacking.append(str(place / POINTS))
    if not lacking:
        return ()
    mend = f"iid datasets prepare heads {folder} {folder}"
    return (f"there is no {' and no '.join(lacking)}: faces are guessed by outline; {mend}",)


def _labelled(sample: Sample) -> Sample:
    return {**sample, "label": np.ones(1, np.float32)}


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
