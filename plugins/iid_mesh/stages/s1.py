"""Stage s1: the template grows out of a sphere until it fits what the photos show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from iid_mesh.found_cameras import Found
from iid_mesh.growth import Growth
from iid_mesh.losses import parts, surface
from iid_mesh.settings import MeshConfig
from iid_mesh.stages.fitting import FittingStage, teacher
from iid_mesh.stages.photos import Fit, Photos
from iid_mesh.template import icosphere
from intrinsic_cli.api import Runtime, Source

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch
    from intrinsic_cli.api.method import Minimise

#: Steps between looks at the template from all around.
_LOOK = 50
#: The share of the stage in which the template keeps near the plane of symmetry.
_FLAT = 0.1
_FLATNESS = 0.4


class GrowingStage(FittingStage):
    """The template is a parameter: silhouettes under the cameras that the search finds shape it,
    and part maps are counted at its vertices. The network learns these cameras, no shapes yet."""

    def __init__(self, config: MeshConfig, source: Source, runtime: Runtime) -> None:
        super().__init__(config, source, runtime, "s1")
        self.steps = config.s1_steps
        self.growth = Growth()
        self.nets = {**self.nets, "growth": self.growth}
        self._place([self.growth.shape])

    def step(self, batch: Batch, minimise: Minimise, number: int) -> Mapping[str, Tensor]:
        if number % _LOOK == 0:
            self._look()
        photos = Photos.of(batch)
        terms = self._terms(photos, number)
        minimise(self.total(terms), "mesh")
        self._hand_over()
        return {name: term.detach() for name, term in terms.items()}

    def _terms(self, photos: Photos, number: int) -> dict[str, Tensor]:
        answer = self.mesh(photos.photo)
        half = self.growth.half_shape()
        found = self.search(photos.maps, photos.mask)
        fit = self._rigid(half, answer.shape, found)
        terms = {
            "mask": self.mask_term(fit, photos, self._config.sigma),
            "smooth": surface.laplacian(fit.vertices).mean(),
        }
        terms |= self.camera_terms(answer, found, half)
        if number < _FLAT * self.steps:
            thick = surface.flatness(fit.vertices).mean()
            terms["mask"] = terms["mask"] + _FLATNESS * thick
        if photos.has_parts:
            maps = self.smaller(photos.maps * photos.mask)
            self.growth.count(fit.seen, maps)
            if answer.parts is not None:
                seen = parts.map_loss(answer.parts, photos.maps)
                terms["seen parts"] = seen.mean()
        return terms

    def _rigid(self, half: Tensor, offsets: Tensor, found: Found) -> Fit:
        """The template itself, from where photos were taken."""
        none = torch.zeros_like(offsets)
        whole = icosphere().symmetrise(half + none)
        return self.fit(none, half, teacher(whole, found))

    @torch.no_grad()
    def _look(self) -> None:
        shape = icosphere().symmetrise(self.growth.half_shape())
        self.search.look_at(shape, self.growth.parts())

    @torch.no_grad()
    def _hand_over(self) -> None:
        """The network's template is the grown one."""
        self.mesh.mean_v.copy_(self.growth.half_shape())
        self.mesh.template_parts[:, 1:] = self.growth.parts()
