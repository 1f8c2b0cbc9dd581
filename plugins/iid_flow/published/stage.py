"""What both training stages share: batches, step counting and the pictures the networks are trained
on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from torch import Tensor

from iid_flow.settings import FlowConfig
from intrinsic_cli.api import Source, Trainer
from intrinsic_cli.kit.data.hypersim.reader import tonemap_scale
from intrinsic_cli.kit.networks.losses import gradient_loss

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch, Split

#: The papers train at 1e-4, a tenth of the default network's rate: ``config.lr`` counts for a tenth
#: here.
RATE = 0.1


def pictures(variant: str, batch: Batch) -> tuple[Tensor, Tensor]:
    """The photo [B,3,H,W] and the layer to learn, [B,3,H,W] albedo or [B,1,H,W] shading, both in
    [-1,1].

    Exposure follows the Hypersim recipe, by the photo for ``albedo16``. For ``shading8`` it follows
    the shading, and the photo takes the same factor: albedo x shading still makes the photo, and
    little of the shading is clipped (exposed by the photo, it would be mostly white)."""
    photo, layer = batch["photo"], batch["albedo"]
    scale = tonemap_scale(photo, batch["mask"])
    if variant == "shading8":
        scale = tonemap_scale(batch["shading"], batch["mask"])
        layer = batch["shading"].mean(1, keepdim=True) * scale
    return 2 * (photo * scale).clamp(0, 1) - 1, 2 * layer.clamp(0, 1) - 1


def relief_error(answer: Tensor, layer: Tensor, mask: Tensor) -> Tensor:
    """How far the gradients of two pictures [B,C,H,W] in [-1,1] differ, over five scales, averaged
    over channels.

    Stands where the papers have LPIPS, and like it is about 1 for pictures that have little in
    common."""
    return gradient_loss(answer.float() - layer, mask).mean() / layer.shape[1]


def shown(x: Tensor) -> Tensor:
    """[-1,1] → [0,1], three channels: for looking at."""
    return ((x.float() + 1) / 2).expand(-1, 3, -1, -1)


class Stage(Trainer):
    """Data and the count of steps done, which the house tells through ``start`` when it resumes."""

    def __init__(self, variant: str, config: FlowConfig, source: Source) -> None:
        self._variant, self._config, self._source = variant, config, source
        self._done = 0

    def batches(self, split: Split, start: int = 0) -> Iterable[Batch]:
        if split == "train":
            self._done = start
        c = self._config
        return self._source.batches(split, c.batch_size, c.crop, c.seed, start)

    def _pictures(self, batch: Batch) -> tuple[Tensor, Tensor]:
        return pictures(self._variant, batch)
