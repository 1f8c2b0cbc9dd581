"""Fitting the thresholds: score every pair of a grid on the training photos, keep the best."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from iid_retinex.settings import RetinexConfig
from iid_retinex.shading import Thresholds, integrate_light, measure_steps
from intrinsic_cli.api import Runtime, Source, Trainer
from intrinsic_cli.kit.light.upsample import split
from intrinsic_cli.kit.metrics import lmse
from intrinsic_cli.kit.training.distributed import summed

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch, Split
    from intrinsic_cli.api.method import Minimise

#: Steps of log brightness and of log chromaticity that are tried, each with each.
BRIGHTNESS = (0.2, 0.4, 0.8, 1.2, 1.6, 2.4)
CHROMA = (0.02, 0.03, 0.05, 0.08, 0.12, 0.2)


class ScoreTable(nn.Module):
    """Summed LMSE of every pair so far: ``total`` [G] over ``photos`` photos, ``brightness`` [G],
    ``chroma`` [G].

    Buffers, so that checkpoints hold them and a resumed fit ends like an uninterrupted one.
    """

    brightness: Tensor
    chroma: Tensor
    total: Tensor
    photos: Tensor

    def __init__(self) -> None:
        super().__init__()
        pairs = torch.cartesian_prod(torch.tensor(BRIGHTNESS), torch.tensor(CHROMA))
        self.register_buffer("brightness", pairs[:, 0].contiguous())
        self.register_buffer("chroma", pairs[:, 1].contiguous())
        self.register_buffer("total", torch.zeros(len(pairs)))
        self.register_buffer("photos", torch.tensor(0))

    @property
    def pairs(self) -> Tensor:
        """[G,2]"""
        return torch.stack([self.brightness, self.chroma], dim=1)

    def add(self, scores: Tensor) -> None:
        """Take in the scores [G,B] of a batch, and those of the processes that train with this
        one."""
        here = scores.sum(dim=1).to(self.total.dtype)
        self.total += summed(here)
        self.photos += summed(torch.full_like(self.photos, scores.shape[1]))

    def best(self) -> tuple[Tensor, Tensor]:
        """The best pair [2] and its mean LMSE []."""
        least = self.total.argmin()
        return self.pairs[least], self.total[least] / self.photos


class RetinexTrainer(Trainer):
    """The search of Grosse et al. 2009: the pair of least LMSE over the training photos. It is
    validated on held-out ones."""

    def __init__(self, config: RetinexConfig, source: Source, runtime: Runtime) -> None:
        self._config, self._source = config, source
        self.thresholds = Thresholds().to(runtime.device)
        self.table = ScoreTable().to(runtime.device)
        self.nets = {"thresholds": self.thresholds, "table": self.table}
        self.optimizers = {}

    def batches(self, split: Split, start: int = 0) -> Iterable[Batch]:
        c = self._config
        return self._source.batches(split, c.batch_size, c.crop, c.seed, start)

    @torch.no_grad()
    def step(self, batch: Batch, minimise: Minimise, number: int) -> Mapping[str, Tensor]:
        """Nothing is minimised: the table grows, and its best pair is the answer so far."""
        steps = measure_steps(batch["photo"])
        scores = []
        for pair in self.table.pairs:
            shading = integrate_light(steps, pair)
            scores.append(score(shading, batch))
        self.table.add(torch.stack(scores))
        values, loss = self.table.best()
        self.thresholds.values.copy_(values)
        return {"loss": loss, "brightness": values[0], "chroma": values[1]}

    def validate(self, batch: Batch) -> Mapping[str, Tensor]:
        return {"loss": score(self.thresholds(batch["photo"]), batch).mean()}

    def preview(self, batch: Batch) -> Mapping[str, Tensor]:
        shading = self.thresholds(batch["photo"])
        return {
            "photo": batch["photo"],
            "albedo": split(batch["photo"], shading),
            "true albedo": batch["albedo"],
            "shading": shading,
            "true shading": batch["shading"],
        }


def score(shading: Tensor, batch: Batch) -> Tensor:
    """LMSE of Grosse et al., half of it of ``shading`` [B,1,H,W] and half of the albedo it leaves,
    both gray: [B]."""
    albedo = split(batch["photo"], shading)
    mask = batch["mask"]
    of_shading = lmse(_gray(shading), _gray(batch["shading"]), mask)
    of_albedo = lmse(_gray(albedo), _gray(batch["albedo"]), mask)
    return (of_shading + of_albedo) / 2


def _gray(layer: Tensor) -> Tensor:
    return layer.mean(dim=1, keepdim=True)
