"""The layers of UMR (Li et al., ECCV 2020) under their published names, but for those that nothing
reads. Made for photos of 256 pixels."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from iid_mesh.networks.cameras import OneCamera, SeveralCameras
from iid_mesh.networks.draft import Draft
from iid_mesh.networks.layers import Predictor, normed, small
from iid_mesh.networks.resnet import MAPS, ResNet18
from iid_mesh.networks.texture import TexturePredictor

_FEATURES, _LATENT = 200, 350
#: Channels and sides of the map that becomes the features; that of ResNet is twice as large.
_CHANNELS, _SIDE = 256, 4
#: Widths between the latent vector and the shape in stage s1, with nothing but products between.
_DEEP = (350, 700, 1400, 2800)
_SHAPE_SPREAD = 1e-4
#: How ImageNet is normalised.
_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)


class Paper(nn.Module):
    """Photos [B,3,H,W], sRGB 0..1 → :class:`Draft`. In training the shape is made of a latent
    vector drawn by chance, later of its mean."""

    def __init__(self, vertices: int, hypotheses: int, deep: bool) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.shape_predictor = DeepShape(vertices) if deep else Shape(vertices)
        self.texture_predictor = TexturePredictor(_FEATURES)
        self.cam_predictor = OneCamera() if deep else SeveralCameras(hypotheses)

    def forward(self, photos: Tensor) -> Draft:
        maps = self.encoder.resnet_conv(photos)
        features = self.encoder.features(maps[-1])
        latent = self.encoder.latent(features)
        flow = self.texture_predictor(features)
        right = flow.shape[-1] // 2
        return Draft(
            shape=self.shape_predictor(latent),
            flow=flow[..., right:],
            cameras=self.cam_predictor(features),
            maps=maps,
            features=features,
        )


class Encoder(nn.Module):
    """Photos → features [B,200] and the latent vector [B,350] of the shape."""

    def __init__(self) -> None:
        super().__init__()
        self.resnet_conv = _Normalised()
        squeeze = small(nn.Conv2d(MAPS[-1], _CHANNELS, 4, stride=2, padding=1))
        self.enc_conv1 = nn.Sequential(squeeze, nn.BatchNorm2d(_CHANNELS), nn.LeakyReLU(0.2))
        numbers = _CHANNELS * _SIDE * _SIDE
        self.enc_fc = nn.Sequential(normed(numbers, _FEATURES), normed(_FEATURES, _FEATURES))
        self.mean_fc = _latent_layers()
        self.logvar_fc = _latent_layers()

    def features(self, coarsest: Tensor) -> Tensor:
        """The coarsest map of ResNet → features [B,200]."""
        squeezed = self.enc_conv1(F.adaptive_avg_pool2d(coarsest, 2 * _SIDE))
        features: Tensor = self.enc_fc(squeezed.flatten(1))
        return features

    def latent(self, features: Tensor) -> Tensor:
        """[B,200] → [B,350]: the mean; in training drawn around it."""
        mean: Tensor = self.mean_fc(features)
        if not self.training:
            return mean
        deviation = torch.exp(self.logvar_fc(features) / 2)
        return mean + deviation * torch.randn_like(mean)


class _Normalised(nn.Module):
    """ResNet with what ImageNet asks for."""

    def __init__(self) -> None:
        super().__init__()
        self.resnet = ResNet18()

    def forward(self, photos: Tensor) -> list[Tensor]:
        mean = photos.new_tensor(_MEAN).view(3, 1, 1)
        deviation = photos.new_tensor(_DEVIATION).view(3, 1, 1)
        maps: list[Tensor] = self.resnet((photos - mean) / deviation)
        return maps


class Shape(Predictor):
    """Latent vector [B,350] → offsets [B,vertices,3]; in stage s2."""

    def __init__(self, vertices: int) -> None:
        super().__init__(_LATENT, 3 * vertices, _SHAPE_SPREAD)

    def forward(self, latent: Tensor) -> Tensor:
        offsets: Tensor = self.pred_layer(latent)
        return offsets.view(len(latent), -1, 3)


class DeepShape(nn.Module):
    """The same in stage s1: a product of five matrices."""

    def __init__(self, vertices: int) -> None:
        super().__init__()
        widths = (_LATENT, *_DEEP, 3 * vertices)
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            layers += [small(nn.Linear(inputs, outputs)), nn.Identity()]
        # Behind the last one nothing stands.
        self.pred_layer = nn.Sequential(*layers[:-1])

    def forward(self, latent: Tensor) -> Tensor:
        offsets: Tensor = self.pred_layer(latent)
        return offsets.view(len(latent), -1, 3)


def _latent_layers() -> nn.Sequential:
    enter = small(nn.Linear(_FEATURES, _FEATURES))
    return nn.Sequential(enter, nn.LeakyReLU(0.01), small(nn.Linear(_FEATURES, _LATENT)))
