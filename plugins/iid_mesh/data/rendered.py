"""Rendered birds in shards, with what is known of them beside these. Everything lies twice, below
``train`` and below ``val``:

- ``*.tar``: scenes as :mod:`intrinsic_cli.kit.data.synth.shards` reads them, ``KEY.albedo0.webp``
  and so on; in ``KEY.ids.png`` the bird's pixels are 1. Scenes that ``birds.json`` does not name
  are passed over.
- ``birds.json``: for each ``KEY`` its ``keypoints``, 15 of ``[x, y, seen]`` in the order of
  :data:`~iid_mesh.data.landmarks.KEYPOINTS`, seen 1 or 0, and its ``camera``
  ``[scale, x, y, w, x, y, z]``, shift and quaternion as :mod:`iid_mesh.render.camera` has them;
  places are in -1..1 of the view, x right and y down. Both are measured with, never learned from.
- ``parts/KEY.png``: 8-bit gray, as large as the view, the number of the part that each pixel shows:
  0 none, then head 1, neck 2, back 3, belly 4.
- ``zones/KEY.png``: the same of :data:`~iid_mesh.data.zones.ZONES`, beak 1 to foot 17. Without this
  folder everything but zones is learned.

Whatever renders birds makes them, for it has the posed mesh: label the mesh's vertices once, then
draw the labels from the view's camera, without light, where ``ids`` are 1.

The mesh they were rendered from has keypoints of its own. The camera is the weak-perspective one
under which the keypoints of the mean bird lie closest to them: its turn is that of the best
similarity of the points in space (Umeyama 1991), its scale and shift those of least squares in the
picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from iid_mesh.data.birds import CASE, Birds, case_of
from iid_mesh.data.landmarks import MIRRORED, PARTS
from iid_mesh.data.portrait import photographed
from iid_mesh.data.square import Square, box_of, square_around
from iid_mesh.data.zones import ZONES
from iid_mesh.render.camera import mirrored as mirrored_cameras
from intrinsic_cli.api import Case, DataError, Source
from intrinsic_cli.kit.data.readers import LazyCases
from intrinsic_cli.kit.data.rows import collate, mirror
from intrinsic_cli.kit.data.sampling import endless_batches, shuffled_place, single_pass
from intrinsic_cli.kit.data.synth.members import Members, read_known
from intrinsic_cli.kit.data.synth.shards import ALBEDO, SHADING
from intrinsic_cli.kit.files.opencv import cv2

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intrinsic_cli.api.data import Batch, Split
    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.kit.data.rows import Sample
    from intrinsic_cli.kit.data.synth.shards import Scene

TRUTH = "birds.json"
_BIRD = 1  # its number among the objects of a scene
_RENDERED = 0.7  # share of the training samples; the others are made up


class RenderedBirds(Source):
    """The birds below ``folder``/train and ``folder``/val. Training mixes them with made-up
    ones."""

    name = "birds"
    protocol = "meshes"
    rows = Birds.rows

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.offers = Birds.offers - {"vertices"}
        if not (folder / "train" / "zones").is_dir():
            self.offers -= {"zones"}
        self._opened: dict[str, _Scenes] = {}

    def batches(
        self, split: Split, size: int, crop: int, seed: int = 0, start: int = 0
    ) -> Iterator[Batch]:
        """See :meth:`Source.batches`. Validation shows every bird once, unmoved."""
        scenes = self._scenes(split)
        if split == "val":
            for places in single_pass(len(scenes), size):
                yield collate([scenes.still(place, crop) for place in places], self.rows)
            return
        for numbers in endless_batches(size, start):
            yield collate([self._draw(scenes, seed, n, crop) for n in numbers], self.rows)

    def cases(self, split: Split = "val") -> Sequence[Case]:
        """Every bird once, in the square around it."""
        scenes = self._scenes(split)
        return LazyCases(range(len(scenes)), scenes.case)

    def counts(self, split: Split) -> Mapping[str, int]:
        """How many rendered birds there are."""
        return {"photo": len(self._scenes(split))}

    def _scenes(self, split: Split) -> _Scenes:
        if split not in self._opened:
            self._opened[split] = _Scenes(self._folder / split)
        return self._opened[split]

    def _draw(self, scenes: _Scenes, seed: int, number: int, side: int) -> Sample:
        rng = np.random.default_rng((seed, 1, number))
        if rng.random() >= _RENDERED:
            made = Birds.drawn(seed, number, side)
            return {key: made[key] for key in self.offers}
        place = shuffled_place(number, len(scenes), seed)
        sample = scenes.sample(place, side, rng, moved=True)
        if rng.random() < 0.5:
            return sample
        return mirrored(sample)


class _Scenes:
    """The birds of one split of which the truth is known."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._truth = read_known(folder / TRUTH)
        self._members = Members(folder, self._truth.__contains__)
        if not len(self._members):
            hint = "it is made beside the shards by the tool that renders them"
            raise DataError(f"{folder} holds no birds that {TRUTH} knows", hint)

    def __len__(self) -> int:
        return len(self._members)

    def still(self, index: int, side: int) -> Sample:
        """A bird under light, paint and camera that depend on its place alone."""
        return self.sample(index, side, np.random.default_rng((7, index)), moved=False)

    def case(self, index: int) -> Case:
        """The same as a case to measure with."""
        made = self.still(index, CASE)
        return case_of(self._members.key(index), made)

    def sample(self, index: int, side: int, rng: np.random.Generator, moved: bool) -> Sample:
        """A bird in the square around it, as :func:`~iid_mesh.data.portrait.portrait` has it, but
        without vertices."""
        scene = self._members[index]
        known = self._truth[scene.key]
        inside = scene.ids == _BIRD
        square = square_around(box_of(inside), rng if moved else None)
        mask = square.of(inside, side, outside=0.0)
        albedo, shading = _lit(scene, square, side, rng)
        points = np.asarray(known["keypoints"])
        points[:, :2] = (points[:, :2] + 1) * scene.side / 2
        return {
            "photo": photographed(albedo * shading, mask, rng),
            "albedo": albedo,
            "shading": shading,
            "mask": mask,
            "silhouette": mask,
            **self._labelled(scene, square, side),
            "cameras": square.camera(np.asarray(known["camera"]), scene.side),
            "keypoints": square.points(points),
        }

    def _labelled(self, scene: Scene, square: Square, side: int) -> dict[str, Image]:
        """The maps of parts, and of zones where they are known, in a square."""
        labels = self._labels(scene, "parts")
        made = {"parts": _maps_in(square, labels, len(PARTS), side)}
        if (self._folder / "zones").is_dir():
            labels = self._labels(scene, "zones")
            made["zones"] = _maps_in(square, labels, len(ZONES), side)
        return made

    def _labels(self, scene: Scene, kind: str) -> NDArray[np.uint8]:
        """Which part (or zone) every pixel of a scene shows [H,W], 0 = none."""
        path = self._folder / kind / f"{scene.key}.png"
        labels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if labels is None:
            raise DataError(f"{path} is missing or no picture", f"{TRUTH} names its bird")
        return np.asarray(labels, np.uint8)


def _maps_in(square: Square, labels: NDArray[np.uint8], count: int, side: int) -> Image:
    """Labels up to ``count`` in a square one by one [side,side,1+count], the background first,
    which goes on beyond the picture."""
    maps = []
    for label in range(1, count + 1):
        inside = labels == label
        maps.append(square.of(inside, side, outside=0.0))
    each = np.concatenate(maps, axis=2)
    background = 1 - each.sum(axis=2, keepdims=True)
    return np.concatenate([background, each], axis=2)


def mirrored(sample: Sample) -> Sample:
    """The sample as a mirror shows it, with its camera."""
    turned = mirror(sample, Birds.rows, MIRRORED)
    cameras = torch.from_numpy(sample["cameras"])[None]
    (camera,) = mirrored_cameras(cameras).numpy()
    return {**turned, "cameras": camera}


def _lit(scene: Scene, square: Square, side: int, rng: np.random.Generator) -> tuple[Image, Image]:
    """One of the scene's paints under a mix of its lights: [side,side,3] each."""
    paint = scene.albedos[rng.integers(len(scene.albedos))]
    albedo = square.of(ALBEDO[paint], side)
    count = len(scene.shadings)
    shares = rng.dirichlet(np.full(count, 0.6))
    tints = np.exp(rng.normal(0, 0.12, (count, 3)))
    colours = (shares[:, None] * tints).astype(np.float32)
    shading = np.zeros_like(albedo)
    for colour, codes in zip(colours, scene.shadings, strict=True):
        light = square.of(SHADING[codes], side)
        shading += colour * light
    darkest = np.float32(0.005)
    albedo = np.maximum(albedo, darkest)
    return albedo, shading
