"""Stage ``flow`` of the variant ``residual``: paint alone is albedo, and a network learns which
part of a photo is highlight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.optim import AdamW

from iid_flow.decomposer import Seen, look_at
from iid_flow.highlights import HighlightNet, highlight_loss
from iid_flow.light import from_log, to_log
from iid_flow.pairs import Part
from iid_flow.settings import ResidualFlowConfig
from iid_flow.train_flow import Answer, FlowTrainer
from iid_flow.white_point import white_point
from intrinsic_cli.api import Runtime, Source
from intrinsic_cli.kit.networks.device import place

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch


class ResidualFlowTrainer(FlowTrainer):
    """As :class:`FlowTrainer`, with highlights apart. ``residual_alone`` leaves everything else as
    it came, and asks it for its mean answer alone."""

    def __init__(self, config: ResidualFlowConfig, source: Source, runtime: Runtime) -> None:
        super().__init__(config, source, runtime)
        self._own = config
        if config.residual_alone:
            for net in self.nets.values():
                net.requires_grad_(False)
        self.highlights = place(HighlightNet(), runtime.device)
        self.nets = {**self.nets, "residual": self.highlights}
        groups = [] if config.residual_alone else self._parameter_groups()
        weights = list(self.highlights.parameters())
        groups.append({"params": weights, "lr": config.residual_lr})
        self.optimizers = {"flow": AdamW(groups, weight_decay=config.weight_decay)}

    def terms(self, batch: Batch) -> dict[str, Tensor]:
        """As in the default variant, and ``residual``: the error of highlights; or that alone."""
        if not self._own.residual_alone:
            return super().terms(batch)
        with torch.no_grad():
            seen = look_at(self.nets, batch["photo"], None, 1)
        return {"residual": self._residual_loss(seen, batch).mean()}

    def total(self, terms: Mapping[str, Tensor]) -> Tensor:
        weighed = self._own.residual_weight * terms["residual"]
        if self._own.residual_alone:
            return weighed
        return super().total(terms) + weighed

    def _terms(self, batch: Batch, a: Answer, part: Part | None) -> dict[str, Tensor]:
        terms = super()._terms(batch, a, part)
        residual = self._residual_loss(a.seen, batch)
        terms["residual"] = (residual * (1 - a.time)).mean()
        return terms

    def _residual_loss(self, seen: Seen, batch: Batch) -> Tensor:
        """Of every sample, [B]."""
        photo = batch["photo"]
        return highlight_loss(
            self.highlights.logits(seen),
            photo,
            batch["residual"],
            white_point(photo),
            batch["mask"],
            self._config.gradient_weight,
        )

    def _diffuse(self, batch: Batch) -> Tensor:
        """The photos without their true highlights."""
        return (batch["photo"] - batch["residual"]).clamp_min(0)

    def validate(self, batch: Batch) -> Mapping[str, Tensor]:
        photo = batch["photo"]
        truth = to_log(batch["shading"], white_point(photo))
        seen = look_at(self.nets, photo, None, 1)
        pixel = self._log_loss(seen.log_shading, truth, batch["mask"])
        residual = self._residual_loss(seen, batch)
        each = pixel + self._own.residual_weight * residual
        return {"loss": each.mean(), "residual": residual.mean()}

    def preview(self, batch: Batch) -> Mapping[str, Tensor]:
        photo = batch["photo"]
        seen = look_at(self.nets, photo, None, 1)
        shading = from_log(seen.log_shading, white_point(photo))
        residual = photo * self.highlights(seen)
        albedo = (photo - residual) / shading
        return {
            "photo": photo,
            "albedo": albedo.clamp(0, 1),
            "true albedo": batch["albedo"],
            "shading": shading,
            "true shading": batch["shading"],
            "residual": residual,
            "true residual": batch["residual"],
        }
