"""What belongs to all photos of a dataset together: keypoints carried over, and cameras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from iid_mesh.answers import reconstruction
from iid_mesh.keypoint_sheet import Carried, keypoint_sheet
from iid_mesh.keypoints import Transfers
from iid_mesh.transfer import WAYS, Placed, placed, ways_of

if TYPE_CHECKING:
    from torch import Tensor

    from intrinsic_cli.api import Case
    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.api.protocols import Answer, Scores

_NEAR = 30.0  # degrees: a camera about right
#: Photos that are kept to be drawn, each beside the one before.
_DRAWN = 7


@dataclass(frozen=True, slots=True)
class _Shown:
    """A photo to draw, and its keypoints [K,3]."""

    photo: Image
    keypoints: Tensor


class MeshPool:
    """Keypoints carried over (PCK, percent), the median error of cameras and how many are about
    right."""

    def __init__(self) -> None:
        self._ways = {name: Transfers[Placed](way) for name, way in WAYS.items()}
        self._errors: list[float] = []
        self._shown: list[_Shown] = []

    def add(self, case: Case, answer: Answer, scores: Mapping[str, float]) -> None:
        """Take in one photo."""
        shape = reconstruction(answer)
        if shape is not None and "keypoints" in case.facts:
            self._add_keypoints(case, placed(case, answer, shape))
        if "camera_error" in scores:
            self._errors.append(scores["camera_error"])

    def _add_keypoints(self, case: Case, found: Placed) -> None:
        keypoints = torch.as_tensor(np.asarray(case.facts["keypoints"], np.float32))
        for name in ways_of(found):
            self._ways[name].add(keypoints, found)
        if len(self._shown) < _DRAWN:
            self._shown.append(_Shown(case.photo, keypoints))

    def scores(self) -> Scores:
        """``flow_pck``, ``surface_pck`` and ``camera_pck`` (error below .1; ``…_pck_15`` below
        .15), and of cameras ``camera_median`` and ``camera_near``."""
        made: Scores = {}
        for name, way in self._ways.items():
            for score, share in way.scores().items():
                made[f"{name}_{score}"] = 100 * share
        if self._errors:
            errors = np.array(self._errors)
            made["camera_median"] = float(np.median(errors))
            made["camera_near"] = 100 * float((errors < _NEAR).mean())
        return made

    def drawn(self) -> Mapping[str, NDArray[np.uint8]]:
        """``keypoints``: those of a few photos, each found again in the next."""
        numbers = range(len(self._shown))
        pairs = [self._carried(first, second) for first, second in pairwise(numbers)]
        return {"keypoints": keypoint_sheet(pairs)} if pairs else {}

    def _carried(self, first: int, second: int) -> Carried:
        source, target = self._shown[first], self._shown[second]
        ways = {name: way for name, way in self._ways.items() if len(way) > second}
        both = (source.keypoints[:, 2] > 0) & (target.keypoints[:, 2] > 0)
        return Carried(
            source=source.photo,
            target=target.photo,
            marked=source.keypoints[both, :2],
            true=target.keypoints[both, :2],
            found={name: way.carried(first, second)[both] for name, way in ways.items()},
        )
