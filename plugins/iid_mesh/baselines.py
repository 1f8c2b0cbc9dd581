"""Answers that need no network: a sphere, the mean bird seen from its side, and a shape fitted to
the true silhouette."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from iid_mesh.data.portrait import PADDING
from iid_mesh.data.shapes import mean_bird
from iid_mesh.fit import Fitted, fit
from iid_mesh.metrics import Reconstruction
from iid_mesh.records import camera as record_of
from iid_mesh.render.camera import anchors, project
from iid_mesh.template import icosphere
from intrinsic_cli.api import Case, Mesh

if TYPE_CHECKING:
    from torch import Tensor

    from intrinsic_cli.api.protocols import Answer

_STEPS = 60  # of the fit


def sphere(case: Case) -> Answer:
    """The unit sphere, as large as the crop allows."""
    return _still(icosphere().vertices, case)


def mean_template(case: Case) -> Answer:
    """The mean bird, seen from its side, as large as the crop allows."""
    _, vertices = mean_bird()
    return _still(torch.from_numpy(vertices).float(), case)


def silhouette_fit(case: Case) -> Answer:
    """A shape fitted to the true silhouette, without a network; {} where there is none."""
    if "silhouette" not in case.truth:
        return {}
    mask = torch.from_numpy(np.ascontiguousarray(case.truth["silhouette"][..., 0]))
    return answer_of(fit(mask, _STEPS), case)


def _still(vertices: Tensor, case: Case) -> Answer:
    """A shape under the first of the cameras all around, whatever the photo shows."""
    turn = anchors(1)
    unit = torch.tensor([[1.0, 0, 0]])
    still = torch.cat([unit, turn], 1)
    (seen,) = project(vertices[None], still)
    low = seen[:, :2].amin(0)
    high = seen[:, :2].amax(0)
    middle = (low + high) / 2
    longer = (high - low).max()
    scale = 2 / (longer * (1 + 2 * PADDING))
    shift = -scale * middle
    camera = torch.cat([scale[None], shift, turn[0]])
    return answer_of(Fitted(vertices, camera, 0.0), case)


def answer_of(fitted: Fitted, case: Case) -> Answer:
    """What a method would hand out."""
    x, y, z = fitted.vertices.numpy().T
    mesh = Mesh(np.stack([x, z, -y], axis=1), icosphere().outward.numpy())
    shape = Reconstruction.of(fitted.vertices, fitted.camera)
    return {
        "mask": shape.mask(case.photo.shape[0]),
        "mesh": [mesh],
        "camera": record_of(fitted, [1.0]),
    }
