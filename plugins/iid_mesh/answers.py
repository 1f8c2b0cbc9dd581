"""Shapes and cameras read off an answer: what ``iid decompose -m mesh`` hands out for a photo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from iid_mesh.metrics import Reconstruction
from intrinsic_cli.api import DataError

if TYPE_CHECKING:
    from intrinsic_cli.api import Mesh
    from intrinsic_cli.api.protocols import Answer

_VERTICES = 642


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
    record = first_record(answer)
    numbers = [record["scale"], *record["translation"], *record["quaternion"]]
    return torch.tensor(numbers, dtype=torch.float32)


def first_record(answer: Answer) -> Mapping[str, Any]:
    """What is written of the camera of the only object, or of the first one."""
    record: Mapping[str, Any] = answer["camera"]
    if "objects" in record:
        first: Mapping[str, Any] = record["objects"][0]
        return first
    return record


def _first_mesh(meshes: Mesh | Sequence[Mesh]) -> Mesh:
    return meshes[0] if isinstance(meshes, Sequence) else meshes
