"""The protocol of meshes: silhouettes, cameras, solids, and keypoints found again in other photos.

Definitions are those of the specification of UMR's evaluation (Li et al., ECCV 2020), made
deterministic. An answer is what ``iid decompose -m mesh`` makes of a photo: the layer ``mask``, the
``mesh``, the record ``camera``, and the texture ``flow`` where there is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from iid_mesh import baselines
from iid_mesh.answers import camera_of, reconstruction
from iid_mesh.metrics import Reconstruction, chamfer, solid_iou
from iid_mesh.pool import MeshPool
from iid_mesh.texture_flow import FLOW
from intrinsic_cli.api import Case, Metric, Protocol
from intrinsic_cli.kit import metrics
from intrinsic_cli.kit.score.planes import batch, gray

if TYPE_CHECKING:
    from intrinsic_cli.api.protocols import Answer, Scores


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


MESHES = Protocol(
    name="meshes",
    summary="silhouettes, cameras, solids and keypoints of reconstructed objects",
    source="UMR (ECCV 2020), deterministic; solids in the photo's axes",
    score=score,
    metrics={
        "iou": Metric("higher", about="what silhouettes or solids share, over what they cover"),
        "camera_error": Metric("lower", "°", "turn between the camera and the true one"),
        "chamfer": Metric("lower", about="mean squared distance of the surfaces, there and back"),
        "pck": Metric("higher", "%", "keypoints that come within .1 of the box"),
        "pck_15": Metric("higher", "%", "keypoints that come within .15 of the box"),
        "camera_median": Metric("lower", "°", "median of the cameras' errors"),
        "camera_near": Metric("higher", "%", "cameras less than 30° off"),
    },
    headline="iou",
    reads=("mask", "mesh", "camera", FLOW),
    pool=MeshPool,
    pictures=MeshPool.drawn,
    baselines={
        "sphere": baselines.sphere,
        "mean template": baselines.mean_template,
        "fit to the silhouette": baselines.silhouette_fit,
    },
    shows=("mask", "silhouette"),
)
