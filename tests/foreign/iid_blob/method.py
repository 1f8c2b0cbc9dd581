"""The method itself: one learnable number, the brightness at which the object begins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from intrinsic_cli.api import (
    Decomposer,
    Frame,
    Mesh,
    Method,
    NoOptions,
    Outputs,
    Runtime,
    Source,
    TrainConfig,
    Trainer,
)
from intrinsic_cli.kit.networks.checkpoint import load_into

FRAMES = 6  # of the turntable
CAMERA = {"projection": "orthographic", "towards": [0.0, 0.0, -1.0], "width": 2.0}


class Silhouette(nn.Module):
    """[B,3,H,W] linear → where the object is, [B,1,H,W] in 0..1."""

    def __init__(self) -> None:
        super().__init__()
        self.level = nn.Parameter(torch.tensor(0.3))

    def forward(self, photos: Tensor) -> Tensor:
        return torch.sigmoid(20 * (photos.mean(1, keepdim=True) - self.level))


class BlobDecomposer(Decomposer):
    """Small photos in; a mask, a picture of the mesh, the mesh, its camera and a film out."""

    frame = Frame(size=24, multiple=8, alpha=True, upsample="resize")

    def __init__(self, net: Silhouette) -> None:
        self.net = net

    def __call__(self, photos: Tensor) -> Outputs:
        colours, alpha = photos[:, :3], photos[:, 3:]
        masks = self.net(colours) * alpha
        shown = colours * masks
        return Outputs(
            layers={"mask": masks, "render": shown},
            meshes={"mesh": [inflate(*pair) for pair in zip(masks, colours, strict=True)]},
            records={"camera": [CAMERA] * len(photos)},
            animations={"turntable": [turn(one) for one in shown]},
            facts=[{"covered": float(mask.mean())} for mask in masks],
        )


def inflate(mask: Tensor, colours: Tensor) -> Mesh:
    """A mask [1,h,w] as a cushion: a front and a back that meet where the mask ends. The photo is
    its texture."""
    height, width = mask.shape[-2:]
    v, u = np.meshgrid(np.linspace(1, 0, height), np.linspace(0, 1, width), indexing="ij")
    depth = np.sqrt(mask[0].cpu().numpy())
    sheets = [np.stack([2 * u - 1, 2 * v - 1, side * depth], axis=2) for side in (1, -1)]
    corner = np.arange(height * width).reshape(height, width)
    a, b, c, d = corner[:-1, :-1], corner[:-1, 1:], corner[1:, :-1], corner[1:, 1:]
    front = np.concatenate([np.stack([a, c, b], 2), np.stack([b, c, d], 2)]).reshape(-1, 3)
    back = front[:, ::-1] + height * width
    uv = np.stack([u, v], axis=2).reshape(-1, 2)
    return Mesh(
        vertices=np.concatenate(sheets).reshape(-1, 3),
        faces=np.concatenate([front, back]),
        texture=colours.permute(1, 2, 0).cpu().numpy(),
        uv=np.concatenate([uv, uv]),
    )


def turn(picture: Tensor) -> Any:
    """A flat picture [3,h,w] turned about its upright axis: [T,h,w,3]."""
    frames = []
    for number in range(FRAMES):
        narrow = max(0.1, abs(np.cos(np.pi * number / FRAMES)))
        move = torch.tensor([[[1 / narrow, 0, 0], [0, 1, 0]]], dtype=picture.dtype)
        grid = functional.affine_grid(move, [1, *picture.shape], align_corners=False)
        seen = functional.grid_sample(picture[None], grid.to(picture.device), align_corners=False)
        frames.append(seen[0].permute(1, 2, 0).cpu().numpy())
    return np.stack(frames)


class BlobTrainer(Trainer):
    """Fits the level to true silhouettes."""

    def __init__(self, config: TrainConfig, source: Source, runtime: Runtime) -> None:
        net = Silhouette().to(runtime.device)
        self.nets = {"silhouette": net}
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
        missed = self.nets["silhouette"](batch["photo"]) - batch["silhouette"]
        return {"loss": missed.square().mean()}


class Blob(Method[NoOptions, TrainConfig]):
    """The class the MethodSpec points to."""

    def decomposer(self, state: Any, options: NoOptions, runtime: Runtime) -> Decomposer:
        net = Silhouette()
        load_into(net, state, "silhouette")
        return BlobDecomposer(net.to(runtime.device).eval())

    def trainer(self, stage: str, config: TrainConfig, source: Source, runtime: Runtime) -> Trainer:
        return BlobTrainer(config, source, runtime)
