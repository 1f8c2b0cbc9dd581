"""The protocol of meshes: silhouettes, cameras, solids, and keypoints found again in other photos.

Definitions are those of the specification of UMR's evaluation (Li et al., ECCV 2020), made
deterministic. An answer is what ``iid decompose -m mesh`` makes of a photo: the layer ``mask``, the
``mesh`` and the record ``camera``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from iid_mesh import baselines
from iid_mesh.metrics import (
    Depths,
    Reconstruction,
    Spots,
    chamfer,
    solid_iou,
    spots_at,
    texture_places,
    vertices_at,
)
from intrinsic_cli.api import Case, DataError, Metric, Protocol
from intrinsic_cli.kit import metrics
from intrinsic_cli.kit.score.keypoints import TransferPool, covered_pixels
from intrinsic_cli.kit.score.planes import batch, gray

if TYPE_CHECKING:
    from intrinsic_cli.api import Mesh
    from intrinsic_cli.api.protocols import Answer, Scores

_VERTICES = 642
_NEAR = 30.0  # degrees: a camera about right


def score(case: Case, answer: Answer) -> Scores:
    """Silhouette (``iou``, ``soft_iou``), camera (``camera_error``, degrees between the turns), and
    solid (``chamfer``, ``solid_iou``, in the photo's axes), as far as the truth is known."""
    scores = _silhouette_scores(case, answer)
    made = reconstruction(answer)
    camera = case.facts.get("cameras")
    if made is None or camera is None:
        return scores
    true = torch.as_tensor(np.asarray(camera), dtype=torch.float32)
    guess = camera_of(answer)
    scores["camera_error"] = metrics.camera_error(guess[None, 3:], true[None, 3:]).item()
    if "vertices" in case.facts:
        vertices = torch.as_tensor(np.asarray(case.facts["vertices"]))
        whole = Reconstruction.of(vertices, true)
        scores["chamfer"] = chamfer(made, whole)
        scores["solid_iou"] = solid_iou(made, whole)
    return scores


def _silhouette_scores(case: Case, answer: Answer) -> Scores:
    if "mask" not in answer or "silhouette" not in case.truth:
        return {}
    planes = gray(batch(answer["mask"])), gray(batch(case.truth["silhouette"]))
    hard = metrics.iou(*planes).item()
    return {"iou": hard, "soft_iou": metrics.iou(*planes, soft=True).item()}


def reconstruction(answer: Answer) -> Reconstruction | None:
    """The first shape of an answer before its camera; None without one. DataError for a mesh that
    is not the template's."""
    if not answer.get("mesh") or "camera" not in answer:
        return None
    return Reconstruction.of(vertices_of(_first_mesh(answer["mesh"])), camera_of(answer))


def vertices_of(mesh: Mesh) -> Tensor:
    """The vertices of a mesh (y up, z to the viewer) in the template's axes (z up)."""
    vertices = np.asarray(mesh.vertices, np.float32)
    if vertices.shape != (_VERTICES, 3):
        message = f"a mesh of {len(vertices)} vertices is not a shape of the template"
        raise DataError(message, f"keypoints and solids are scored of {_VERTICES} vertices")
    x, y, z = vertices.T
    return torch.from_numpy(np.stack([x, -z, y], axis=1))


def camera_of(answer: Answer) -> Tensor:
    """The camera [7] of the record, or of the first of its objects."""
    record: Mapping[str, Any] = answer["camera"]
    if "objects" in record:
        record = record["objects"][0]
    numbers = [record["scale"], *record["translation"], *record["quaternion"]]
    return torch.tensor(numbers, dtype=torch.float32)


def _first_mesh(meshes: Mesh | Sequence[Mesh]) -> Mesh:
    return meshes[0] if isinstance(meshes, Sequence) else meshes


@dataclass(frozen=True, slots=True)
class Placed:
    """What carries keypoints between photos: the spots they lie on by the surface that is seen and
    by the nearest vertex, and the target's side of both ways."""

    shape: Reconstruction
    depths: Depths
    foreground: Tensor
    by_surface: Spots
    by_vertex: Spots


def placed(case: Case, answer: Answer) -> Placed | None:
    """Of one scored photo; None where it has no keypoints or no mesh."""
    shape = reconstruction(answer)
    if shape is None or "keypoints" not in case.facts:
        return None
    keypoints = torch.as_tensor(np.asarray(case.facts["keypoints"], np.float32))[:, :2]
    foreground = torch.zeros(0, 2)
    if "mask" in answer:
        foreground = covered_pixels(answer["mask"]).float()
    return Placed(
        shape=shape,
        depths=Depths.of(shape),
        foreground=foreground,
        by_surface=spots_at(keypoints, shape),
        by_vertex=vertices_at(keypoints, shape),
    )


def by_flow(points: Tensor, source: Placed, target: Placed) -> Tensor:
    """Keypoint → the spot of the surface seen there → where the target's texture of that spot is
    taken from."""
    return texture_places(source.by_surface, target.shape, target.depths).double()


def by_camera(points: Tensor, source: Placed, target: Placed) -> Tensor:
    """Keypoint → the nearest projected vertex, seen or not → the target's pixel of the object
    nearest to that vertex."""
    places = source.by_vertex.seen(target.shape.points)[:, :2]
    if not len(target.foreground):
        return places.double()
    nearest = torch.cdist(places, target.foreground).argmin(1)
    return target.foreground[nearest].double()


class MeshPool:
    """What belongs to all photos together: keypoints carried over (PCK, percent), the median error
    of cameras and how many are about right."""

    def __init__(self) -> None:
        self._ways = {
            "flow": TransferPool[Placed](_known, by_flow),
            "camera": TransferPool[Placed](_known, by_camera),
        }
        self._errors: list[float] = []

    def add(self, case: Case, answer: Answer, scores: Mapping[str, float]) -> None:
        """Take in one photo."""
        found = placed(case, answer)
        for way in self._ways.values():
            way.add(case, {"placed": found}, scores)
        if "camera_error" in scores:
            self._errors.append(scores["camera_error"])

    def scores(self) -> Scores:
        """``flow_pck`` and ``camera_pck`` (error below .1; ``…_pck_15`` below .15), and of cameras
        ``camera_median`` and ``camera_near``."""
        made: Scores = {}
        for name, way in self._ways.items():
            for score, share in way.scores().items():
                made[f"{name}_{score}"] = 100 * share
        if self._errors:
            errors = np.array(self._errors)
            made["camera_median"] = float(np.median(errors))
            made["camera_near"] = 100 * float((errors < _NEAR).mean())
        return made


def _known(case: Case, answer: Answer) -> Placed | None:
    """What the pool has made of an answer before both ways look at it."""
    found: Placed | None = answer["placed"]
    return found


MESHES = Protocol(
    name="meshes",
    summary="silhouettes, cameras, solids and keypoints of reconstructed objects",
    source="UMR (ECCV 2020), deterministic; solids in the photo's axes",
    score=score,
    metrics={
        "iou": Metric("higher"),
        "camera_error": Metric("lower", "°"),
        "chamfer": Metric("lower"),
        "pck": Metric("higher", "%"),
        "pck_15": Metric("higher", "%"),
        "camera_median": Metric("lower", "°"),
        "camera_near": Metric("higher", "%"),
    },
    headline="iou",
    reads=("mask", "mesh", "camera"),
    pool=MeshPool,
    baselines={
        "sphere": baselines.sphere,
        "mean template": baselines.mean_template,
        "fit to the silhouette": baselines.silhouette_fit,
    },
    shows=("mask", "silhouette"),
)
