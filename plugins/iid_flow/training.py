"""What both stages of the default variant share: data, and the loss on log shading."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from torch import Tensor

from iid_flow.losses import log_shading_loss
from iid_flow.settings import FlowConfig
from intrinsic_cli.api import Source, Trainer

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch, Split


class FlowStage(Trainer):
    """A stage of the default variant."""

    def __init__(self, config: FlowConfig, source: Source) -> None:
        self._config, self._source = config, source

    def batches(self, split: Split, start: int = 0) -> Iterable[Batch]:
        c = self._config
        return self._source.batches(split, c.batch_size, c.crop, c.seed, start)

    def _log_loss(self, answer: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
        """Of log shading [B,3,H,W], per sample: [B]."""
        c = self._config
        return log_shading_loss(answer, truth, mask, c.chroma_weight, c.gradient_weight)
