"""The method itself: regions found by colour, one learnable number that says how round they are."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from intrinsic_cli.api import (
    Decomposer,
    Frame,
    Method,
    NoOptions,
    Outputs,
    Region,
    Runtime,
    Source,
    TrainConfig,
    Trainer,
)
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.networks.checkpoint import load_into

SKIN = 1.3  # how much redder than blue
SMALLEST = 40  # pixels of a face


class Egg(nn.Module):
    """Pictures of faces [B,3,H,W] → their normals [B,3,H,W]: x right, y up, z to the viewer."""

    def __init__(self) -> None:
        super().__init__()
        self.roundness = nn.Parameter(torch.tensor(1.0))

    def forward(self, photos: Tensor) -> Tensor:
        height, width = photos.shape[-2:]
        y, x = torch.meshgrid(
            torch.linspace(1, -1, height), torch.linspace(-1, 1, width), indexing="ij"
        )
        z = (1 - x * x - y * y).clamp_min(0.05).sqrt()
        shape = torch.stack([self.roundness * x, self.roundness * y, z])
        return functional.normalize(shape, dim=0).expand(len(photos), -1, -1, -1)


class FaceDecomposer(Decomposer):
    """Sees one upright face at a time."""

    frame = Frame(size=32, multiple=8)

    def __init__(self, net: Egg) -> None:
        self.net = net

    def regions(self, photo: Any) -> Sequence[Region]:
        """Discs and ellipses that are redder than blue; they lean as their longer axis does."""
        skin = (photo[..., 0] > SKIN * photo[..., 2] + 0.02).astype(np.uint8)
        count, labels, boxes, _ = cv2.connectedComponentsWithStats(skin)
        found = []
        for number in range(1, count):
            left, top, width, height, area = map(int, boxes[number])
            if area < SMALLEST:
                continue
            moments = cv2.moments((labels == number).astype(np.uint8), binaryImage=True)
            skew, stretch = 2 * moments["mu11"], moments["mu02"] - moments["mu20"]
            longer = math.hypot(skew, stretch) > 0.05 * (moments["mu20"] + moments["mu02"])
            angle = math.degrees(math.atan2(skew, stretch)) / 2 if longer else 0.0
            sure = min(1.0, area / (width * height))
            box = (float(left), float(top), float(width), float(height))
            found.append(Region(box, angle, "face", sure, facts={"pixels": area}))
        return found

    def __call__(self, photos: Tensor) -> Outputs:
        normals = self.net(photos)
        shading = photos.mean(1, keepdim=True).clamp_min(0.01).sqrt()
        mask = (photos[:, :1] > SKIN * photos[:, 2:]).float()
        pull = (normals * shading * mask).sum((2, 3))
        towards = functional.normalize(pull, dim=1).tolist()
        return Outputs(
            layers={
                "albedo": photos / shading,
                "shading": shading,
                "normals": normals,
                "mask": mask,
            },
            records={"light": [{"towards": one} for one in towards]},
            facts=[{"brightness": float(one.mean())} for one in shading],
        )

    def turned(self, name: str, record: Mapping[str, Any], region: Region) -> Mapping[str, Any]:
        cos, sin = math.cos(math.radians(region.angle)), math.sin(math.radians(region.angle))
        x, y, z = record["towards"]
        return {**record, "towards": [cos * x - sin * y, sin * x + cos * y, z]}


class FaceTrainer(Trainer):
    """Fits the roundness to true normals."""

    def __init__(self, config: TrainConfig, source: Source, runtime: Runtime) -> None:
        net = Egg().to(runtime.device)
        self.nets = {"egg": net}
        self.optimizers = {"adam": torch.optim.Adam(net.parameters(), lr=config.lr)}
        self.config, self.source = config, source

    def batches(self, split: Any, start: int = 0) -> Iterable[Mapping[str, Tensor]]:
        config = self.config
        return self.source.batches(split, config.batch_size, config.crop, config.seed, start)

    def step(self, batch: Mapping[str, Tensor], minimise: Any, number: int) -> Mapping[str, Tensor]:
        loss = self.validate(batch)["loss"]
        minimise(loss, "adam")
        return {"loss": loss.detach()}

    def validate(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        assert batch["light"].shape[1:] == (27,)
        assert batch["keypoints"].shape[2:] == (3,)
        assert batch["pose"].ndim == 2
        missed = (self.nets["egg"](batch["photo"]) - batch["normals"]) * batch["silhouette"]
        return {"loss": missed.square().mean()}


class Face(Method[NoOptions, TrainConfig]):
    """The class the MethodSpec points to."""

    def decomposer(self, state: Any, options: NoOptions, runtime: Runtime) -> Decomposer:
        net = Egg()
        load_into(net, state, "egg")
        return FaceDecomposer(net.to(runtime.device).eval())

    def trainer(self, stage: str, config: TrainConfig, source: Source, runtime: Runtime) -> Trainer:
        return FaceTrainer(config, source, runtime)
