"""Stage flow: where vertices have their colours from. Shapes and cameras stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from iid_mesh.growth import part_counts
from iid_mesh.networks.lite import Lite
from iid_mesh.networks.matching import Likeness
from iid_mesh.networks.mesh_net import Prediction
from iid_mesh.settings import MeshConfig
from iid_mesh.stages.fitting import FittingStage
from iid_mesh.stages.photos import Fit, Photos, shaken
from iid_mesh.stages.zone_terms import flow_terms
from iid_mesh.zone_table import ZoneTable, zones_of
from intrinsic_cli.api import Runtime, Source

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch
    from intrinsic_cli.api.method import Minimise

#: Vertices that are looked at in a step: a third of them.
_VERTICES = 214


class FlowStage(FittingStage):
    """Vertices look for pixels that show their zone, for all of it together, and near to where the
    mesh shows them. The paper's network, which matches nothing, passes through."""

    def __init__(self, config: MeshConfig, source: Source, runtime: Runtime) -> None:
        super().__init__(config, source, runtime, "s2")
        self.adopt(runtime, "s1", "template", "s2")
        self.table = ZoneTable(zones_of(source))
        self.nets = {**self.nets, "zones": self.table}
        self.mesh.requires_grad_(False)
        body = self.mesh.body
        self._matches = isinstance(body, Lite)
        self.steps = config.flow_steps if self._matches else 1
        if isinstance(body, Lite):
            body.matching.requires_grad_(True)
        self._place()
        if not self._matches:
            self.optimizers = {}

    def step(self, batch: Batch, minimise: Minimise, number: int) -> Mapping[str, Tensor]:
        if not self._matches:
            return {"loss": torch.zeros((), device=self._device)}
        photos = shaken(Photos.of(batch))
        answer, fit = self.answered(photos)
        with torch.no_grad():
            self.table.count(part_counts(fit.seen, photos.zones))
        every = torch.randperm(fit.points.shape[1], device=self._device)
        terms = self._terms(answer, fit, photos, every[:_VERTICES])
        minimise(self.total(terms), "mesh")
        return {name: term.detach() for name, term in terms.items()}

    def _terms(
        self, answer: Prediction, fit: Fit, photos: Photos, some: Tensor
    ) -> dict[str, Tensor]:
        assert isinstance(answer.origin, Likeness)
        return flow_terms(answer.origin, fit, photos, self.table.shares(), some)

    def validate(self, batch: Batch) -> Mapping[str, Tensor]:
        losses = super().validate(batch)
        if not self._matches:
            return losses
        photos = Photos.of(batch)
        answer, fit = self.answered(photos)
        every = torch.arange(fit.points.shape[1], device=self._device)
        terms = self._terms(answer, fit, photos, every)
        return {**losses, **terms, "loss": self.total(terms)}
