"""The published camera heads: one camera in stage s1, hypotheses in stage s2."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from iid_mesh.networks.draft import Cameras
from iid_mesh.networks.layers import Predictor, normed, plain

_WIDTH = 200
_LEAST_SCALE = 1e-12


class Camera(nn.Module):
    """Features [B,200] → one camera: turn [B,4], scale [B,1], shift [B,2]. It begins unturned."""

    def __init__(self) -> None:
        super().__init__()
        self.quat_predictor = Predictor(_WIDTH, 4)
        self.scale_predictor = Predictor(_WIDTH, 1)
        self.trans_predictor = Predictor(_WIDTH, 2)
        with torch.no_grad():
            self.quat_predictor.pred_layer.bias[0] = 1.0

    def numbers(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        turn = F.normalize(self.quat_predictor(features), dim=1)
        scale = F.relu(1 + self.scale_predictor(features)) + _LEAST_SCALE
        return turn, scale, self.trans_predictor(features)


class OneCamera(Camera):
    """That of stage s1, as the only hypothesis."""

    def forward(self, features: Tensor) -> Cameras:
        turn, scale, shift = self.numbers(features)
        logits = torch.zeros_like(scale)
        return Cameras(turn[:, None], scale[:, None], shift[:, None], logits)


class Hypothesis(Camera):
    """One camera of stage s2, with layers of its own and a logit [B,1]."""

    def __init__(self) -> None:
        super().__init__()
        self.fc_layer = nn.Sequential(normed(_WIDTH, _WIDTH), normed(_WIDTH, _WIDTH))
        self.prob_predictor = nn.Linear(_WIDTH, 1)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        own = self.fc_layer(features)
        return (*self.numbers(own), self.prob_predictor(own))


class SeveralCameras(nn.Module):
    """Those of stage s2."""

    def __init__(self, hypotheses: int) -> None:
        super().__init__()
        self.fc = nn.Sequential(plain(_WIDTH, _WIDTH), plain(_WIDTH, _WIDTH))
        self.camera_predictor = nn.ModuleList(Hypothesis() for _ in range(hypotheses))

    def forward(self, features: Tensor) -> Cameras:
        shared = self.fc(features)
        each = [camera(shared) for camera in self.camera_predictor]
        turns, scales, shifts, logits = zip(*each, strict=True)
        return Cameras(
            torch.stack(turns, 1),
            torch.stack(scales, 1),
            torch.stack(shifts, 1),
            torch.cat(logits, 1),
        )
