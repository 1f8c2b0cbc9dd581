"""The texture flow of a network as an output: a picture over the template's surface that says from
where in the photo each texel has its colour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from iid_mesh.answers import first_record
from iid_mesh.template import icosphere
from iid_mesh.uv import at_points
from intrinsic_cli.api import Case, DataError

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.api.protocols import Answer

FLOW = "flow"
#: Where the texels of a face are that are looked at, as shares of its corners.
_TEXELS = ((4, 1, 1), (1, 4, 1), (1, 1, 4), (1, 2.5, 2.5), (2.5, 1, 2.5), (2.5, 2.5, 1))


def picture(flow: Tensor) -> Image:
    """Flow [2,h,w], x right and y down in -1..1 of a square, as a picture [h,w,3]: red is x from 0
    to 1, green is y, blue is 0."""
    planes = (flow + 1) / 2
    blue = torch.zeros_like(planes[:1])
    whole = torch.cat([planes, blue])
    colours: Image = whole.permute(1, 2, 0).cpu().numpy()
    return np.ascontiguousarray(colours)


def texels(case: Case, answer: Answer) -> Tensor | None:
    """Where in the photo texels of the template's faces have their colours from, [1280,6,2] in
    -1..1 of the photo; None where the answer has no flow. DataError where it does not say which
    square of the photo the flow is of."""
    if not answer.get(FLOW):
        return None
    shown = torch.from_numpy(np.asarray(answer[FLOW][0], np.float32))
    sphere = icosphere()
    shares = torch.tensor(_TEXELS) / 6
    points = torch.einsum("tc,fcx->ftx", shares, sphere.vertices[sphere.faces])
    flat = points.flatten(0, 1)
    (found,) = at_points(shown.permute(2, 0, 1)[None, :2], flat)
    return _in_photo(found, case, answer).view(*points.shape[:2], 2)


def _in_photo(places: Tensor, case: Case, answer: Answer) -> Tensor:
    """Places [N,2], 0..1 of the square that was looked at, as -1..1 of the photo."""
    record = first_record(answer)
    if "box" not in record:
        hint = "each record of a flow names its box"
        raise DataError("a texture flow was answered without the square it is of", hint)
    height, width = case.photo.shape[:2]
    left, top, side, _ = record["box"]
    pixels = places * side + places.new_tensor([left, top])
    shares: Tensor = pixels / places.new_tensor([width, height])
    return 2 * shares - 1
