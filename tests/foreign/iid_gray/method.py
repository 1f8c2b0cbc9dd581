"""The method itself: one learnable number, the exponent of brightness."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from iid_gray import GrayOptions
from intrinsic_cli.api import Decomposer, Frame, Method, Runtime, Source, TrainConfig, Trainer
from intrinsic_cli.kit.networks.checkpoint import load_into

LUMA = {"rec709": (0.2126, 0.7152, 0.0722), "equal": (1 / 3, 1 / 3, 1 / 3)}


class Brightness(nn.Module):
    """[B,3,H,W] linear → shading [B,1,H,W]: brightness to a learned power."""

    def __init__(self, luma: str = "rec709", floor: float = 0.01) -> None:
        super().__init__()
        self.power = nn.Parameter(torch.tensor(0.5))
        self.luma, self.floor = LUMA[luma], floor

    def forward(self, photos: Tensor) -> Tensor:
        luma = photos.new_tensor(self.luma)[:, None, None]
        return (photos * luma).sum(1, keepdim=True).clamp_min(self.floor) ** self.power


class GrayDecomposer(Decomposer):
    """Photos in, albedo and shading out, at the photo's own size."""

    frame = Frame(size=None)

    def __init__(self, net: Brightness) -> None:
        self.net = net

    def __call__(self, photos: Tensor) -> Mapping[str, Tensor]:
        shading = self.net(photos)
        return {"albedo": photos / shading, "shading": shading}


class GrayTrainer(Trainer):
    """Fits the power to true shading."""

    def __init__(self, config: TrainConfig, source: Source, runtime: Runtime) -> None:
        net = Brightness().to(runtime.device)
        self.nets = {"brightness": net}
        self.optimizers = {"adam": torch.optim.Adam(net.parameters(), lr=config.lr)}
        self.config, self.source = config, source

    def batches(self, split: Any, start: int = 0) -> Iterable[Mapping[str, Tensor]]:
        return self.source.batches(
            split, self.config.batch_size, self.config.crop, self.config.seed, start
        )

    def step(self, batch: Mapping[str, Tensor], minimise: Any, number: int) -> Mapping[str, Tensor]:
        loss = self._loss(batch)
        minimise(loss, "adam")
        return {"loss": loss.detach()}

    def validate(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        return {"loss": self._loss(batch)}

    def _loss(self, batch: Mapping[str, Tensor]) -> Tensor:
        return (self.nets["brightness"](batch["photo"]) - batch["shading"]).abs().mean()


class Gray(Method[GrayOptions, TrainConfig]):
    """The class the MethodSpec points to."""

    def decomposer(self, state: Any, options: GrayOptions, runtime: Runtime) -> Decomposer:
        net = Brightness(options.weights, options.floor)
        load_into(net, state, "brightness")
        return GrayDecomposer(net.to(runtime.device).eval())

    def trainer(self, stage: str, config: TrainConfig, source: Source, runtime: Runtime) -> Trainer:
        return GrayTrainer(config, source, runtime)
