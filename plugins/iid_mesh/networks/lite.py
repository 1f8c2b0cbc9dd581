"""Small layers for one CPU core: a pretrained encoder, and heads that share what it sees.

Photos have sides of 64 to 128 pixels or so, multiples of 16."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from iid_mesh.networks.draft import Cameras, Draft
from iid_mesh.networks.matching import Matching
from intrinsic_cli.kit.networks.blocks import with_gradient
from intrinsic_cli.kit.networks.efficientnet import CHANNELS, Encoder

#: Maps of the encoder that are used: strides 2, 4, 8, 16.
DEPTH = 4
MAPS = CHANNELS[:DEPTH]
_FEATURES = 320
_SIDE = 4  # of the map that becomes the features
_CAMERA_WIDTH = 64
#: Three numbers of the turn, scale, shift, logit.
_CAMERA_NUMBERS = 7
#: How far a camera may turn from its anchor about each axis: tan of half the angle (62 degrees).
_REACH = 0.6


class Lite(nn.Module):
    """Photos [B,3,H,W], sRGB 0..1 → :class:`Draft`."""

    def __init__(self, vertices: int, hypotheses: int) -> None:
        super().__init__()
        self.encoder = Encoder(DEPTH)
        self.features = Features(MAPS[-1])
        self.shape = nn.Linear(_FEATURES, 3 * vertices)
        self.matching = Matching(MAPS, _FEATURES, vertices)
        self.camera = Camera(hypotheses)
        nn.init.normal_(self.shape.weight, std=1e-4)
        nn.init.zeros_(self.shape.bias)

    def forward(self, photos: Tensor) -> Draft:
        maps = self.encoder(2 * photos - 1)
        features = self.features(maps[-1])
        return Draft(
            shape=self.shape(features).unflatten(1, (-1, 3)),
            cameras=self.camera(features),
            maps=maps,
            features=features,
        )


class Features(nn.Module):
    """The coarsest map → one vector [B,320] that still knows what was where."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        width = 192
        self.filters = nn.Conv2d(channels, width, 3, padding=1)
        self.norm = nn.GroupNorm(8, width)
        self.merge = nn.Linear(width * _SIDE * _SIDE, _FEATURES)
        self.exit = nn.LayerNorm(_FEATURES)

    def forward(self, x: Tensor) -> Tensor:
        x = F.silu(self.norm(self.filters(with_gradient(x))))
        x = F.adaptive_avg_pool2d(x, _SIDE).flatten(1)
        return F.silu(self.exit(self.merge(x)))


class Camera(nn.Module):
    """Features → K hypotheses. They begin without a turn from their anchors, all as likely; scale
    and shift are half the side and the middle of the box that a shape fills, all of the photo at
    first."""

    def __init__(self, hypotheses: int) -> None:
        super().__init__()
        width = hypotheses * _CAMERA_WIDTH
        numbers = hypotheses * _CAMERA_NUMBERS
        self.merge = nn.Linear(_FEATURES, width)
        self.numbers = nn.Conv1d(width, numbers, 1, groups=hypotheses)
        nn.init.normal_(self.numbers.weight, std=0.02)
        if self.numbers.bias is not None:
            nn.init.zeros_(self.numbers.bias)

    def forward(self, features: Tensor) -> Cameras:
        hidden = F.silu(self.merge(features))
        every = self.numbers(hidden.unsqueeze(2))
        numbers = every.view(len(features), -1, _CAMERA_NUMBERS)
        vector, scale, shift, logit = numbers.split_with_sizes((3, 1, 2, 1), 2)
        scales = F.relu(1 + scale)
        return Cameras(_small_turns(vector), scales, shift, logit.squeeze(2))


def _small_turns(numbers: Tensor) -> Tensor:
    """Any three numbers [...,3] → unit quaternions [...,4] near that of no turn."""
    vector = _REACH * torch.tanh(numbers)
    return F.normalize(F.pad(vector, (1, 0), value=1.0), dim=-1)
