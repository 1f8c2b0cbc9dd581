"""What both training stages share: batches, and what the networks are trained on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from torch import Tensor

from iid_flow.settings import PublishedConfig
from intrinsic_cli.api import Source, Trainer
from intrinsic_cli.kit.data.hypersim.recipe import tonemap_scale
from intrinsic_cli.kit.networks.losses import gradient_loss

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch, Split


def training_pair(variant: str, batch: Batch) -> tuple[Tensor, Tensor]:
    """The photo [B,3,H,W] and the layer to learn, [B,3,H,W] albedo or [B,1,H,W] shading, both in
    [-1,1].

    Exposure follows the Hypersim recipe, by the photo for ``albedo16``. For ``shading8`` it follows
    the shading, and the photo takes the same factor: albedo x shading still makes the photo, and
    little of the shading is clipped (exposed by the photo, it would be mostly white)."""
    photo, mask = batch["photo"], batch["mask"]
    if variant == "shading8":
        scale = tonemap_scale(batch["shading"], mask)
        layer = batch["shading"].mean(1, keepdim=True) * scale
    else:
        scale = tonemap_scale(photo, mask)
        layer = batch["albedo"]
    photo = (photo * scale).clamp(0, 1)
    layer = layer.clamp(0, 1)
    return 2 * photo - 1, 2 * layer - 1


def relief_error(answer: Tensor, layer: Tensor, mask: Tensor) -> Tensor:
    """How far the gradients of two images [B,C,H,W] in [-1,1] differ, over five scales, averaged
    over channels.

    Stands where the papers have LPIPS, and like it is about 1 for images that have little in
    common."""
    return gradient_loss(answer.float() - layer, mask).mean() / layer.shape[1]


def shown(x: Tensor) -> Tensor:
    """[-1,1] → [0,1], three channels: for looking at."""
    return ((x.float() + 1) / 2).expand(-1, 3, -1, -1)


class PublishedStage(Trainer):
    """A stage of a published variant."""

    def __init__(self, variant: str, config: PublishedConfig, source: Source) -> None:
        self._variant, self._config, self._source = variant, config, source

    def batches(self, split: Split, start: int = 0) -> Iterable[Batch]:
        c = self._config
        return self._source.batches(split, c.batch_size, c.crop, c.seed, start)

    def _pair(self, batch: Batch) -> tuple[Tensor, Tensor]:
        return training_pair(self._variant, batch)
