"""What is written of a camera: the numbers of :mod:`iid_mesh.render.camera` by name, and the same
as a matrix that takes the mesh file's vertices to the photo's pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from iid_mesh.render.camera import matrices

if TYPE_CHECKING:
    from iid_mesh.fit import Fitted
    from intrinsic_cli.api import Region

Record = dict[str, Any]
#: The mesh file's axes in the template's: x, -z, y.
_FROM_FILE = np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])


def camera(fitted: Fitted, chances: Sequence[float]) -> Record:
    """The camera of a square picture, -1..1 across it; ``hypotheses`` are the probabilities of
    those that the network proposed, ``iou`` is how well the mesh covers the silhouette (of a photo
    in which none was looked for: null)."""
    scale, across, down, *quaternion = fitted.camera.tolist()
    return {
        "scale": scale,
        "translation": [across, down],
        "quaternion": quaternion,
        "iou": fitted.iou,
        "hypotheses": list(chances),
    }


def in_photo(record: Mapping[str, Any], region: Region) -> Record:
    """The camera of a region's square as that of its whole photo, whose longer side spans -1..1
    about its middle. ``pixels`` [2,4] takes (x, y, z, 1) of the mesh file to pixels (x right, y
    down)."""
    height, width = region.alpha.shape
    left, top, side, _ = region.box
    longer = max(height, width)
    middle = np.array([left + side / 2, top + side / 2])
    shift = np.array(record["translation"]) * (side / 2)
    centre = middle + shift
    whole = (centre - np.array([width / 2, height / 2])) / (longer / 2)
    scale = record["scale"] * side
    turn = matrices(torch.tensor([record["quaternion"]], dtype=torch.float64))[0].numpy()
    rows = (scale / 2) * (turn @ _FROM_FILE)[:2]
    return {
        **record,
        "scale": scale / longer,
        "translation": whole.tolist(),
        "pixels": np.column_stack([rows, centre]).tolist(),
    }
