"""Stage template: where the parts lie on the grown template, and which way up it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from iid_mesh.growth import named_parts, part_counts
from iid_mesh.losses.silhouette import overlap
from iid_mesh.render.camera import rotate
from iid_mesh.settings import MeshConfig
from iid_mesh.stages.fitting import FittingStage, teacher
from iid_mesh.stages.photos import Fit, Photos
from iid_mesh.template import icosphere
from intrinsic_cli.api import Runtime, Source

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch
    from intrinsic_cli.api.method import Minimise

#: Counts of vertices that no photo has shown.
_UNSEEN = 1e-3


class Semantics(nn.Module):
    """Sums over photos: ``counts`` [642,4] of parts seen at vertices, ``up`` [3] of the directions
    that are up in the photos, ``offsets`` [337,3] of what the network bends, and how many
    ``photos`` there were; ``grown`` [337,3] is the template as it came."""

    counts: Tensor
    up: Tensor
    offsets: Tensor
    photos: Tensor
    grown: Tensor

    def __init__(self, grown: Tensor) -> None:
        super().__init__()
        sphere = icosphere().vertices
        self.register_buffer("counts", _UNSEEN * named_parts(sphere))
        self.register_buffer("up", torch.zeros(3))
        self.register_buffer("offsets", torch.zeros_like(grown))
        self.register_buffer("photos", torch.tensor(0))
        self.register_buffer("grown", grown.clone())

    def parts(self) -> Tensor:
        """The probabilities of parts [642,4]."""
        return self.counts / self.counts.sum(1, keepdim=True)

    def count(self, found: Tensor) -> None:
        """Take in the counts [642,4] of some photos; mirrored vertices have equal parts."""
        mirror = icosphere().mirror.to(found.device)
        self.counts += found + found[mirror]

    def bend(self, offsets: Tensor) -> None:
        """Take in the offsets [B,337,3] of some photos."""
        self.offsets += offsets.sum(0)
        self.photos += len(offsets)

    def level(self) -> Tensor:
        """The mean shape [337,3], turned about y such that photos are upright on average."""
        shape = self.grown + self.offsets / self.photos.clamp_min(1)
        # What lies on the plane of symmetry stays there.
        shape = icosphere().symmetrise(shape)[: len(shape)]
        x_up, _, z_up = self.up
        angle = torch.atan2(x_up, z_up)
        cos, sin = angle.cos(), angle.sin()
        x, y, z = shape.unbind(1)
        ahead = cos * x - sin * z
        above = sin * x + cos * z
        return torch.stack([ahead, y, above], 1)


class SemanticStage(FittingStage):
    """Nothing is minimised: part maps of many photos are averaged on the template, from the cameras
    that the search finds. In place of UMR's exemplars: with cameras known, all photos agree.

    Where it begins with a network that bends shapes already, of an earlier stage s2, the mean of
    these becomes the template."""

    def __init__(self, config: MeshConfig, source: Source, runtime: Runtime) -> None:
        super().__init__(config, source, runtime, "s1")
        self.steps = config.template_steps
        self.adopt(runtime, "s1")
        self.semantics = Semantics(self.mesh.mean_v)
        self.nets = {**self.nets, "semantics": self.semantics}
        self.optimizers = {}
        self._place()
        self.optimizers = {}

    def setup(self) -> None:
        """Look at the template with the parts stage s1 found, or those that are thought likely."""
        known = self.mesh.template_parts[:, 1:]
        first = self.semantics.parts()
        shape = icosphere().symmetrise(self.semantics.grown)
        self.search.look_at(shape, torch.where(known.sum(1, keepdim=True) > 0, known, first))

    @torch.no_grad()
    def step(self, batch: Batch, minimise: Minimise, number: int) -> Mapping[str, Tensor]:
        photos = Photos.of(batch)
        offsets = self.mesh(photos.photo).shape
        fit = self._found(photos, offsets)
        self.semantics.bend(offsets)
        if photos.has_parts:
            maps = self.smaller(photos.maps * photos.mask)
            self.semantics.count(part_counts(fit.seen, maps))
        self.semantics.up += _upward(fit.camera[:, 3:]).sum(0)
        known = self.semantics.parts()
        self.mesh.mean_v.copy_(self.semantics.level())
        self.mesh.template_parts[:, 1:] = known
        mask = self.smaller(photos.mask)[:, 0]
        covered = fit.seen.mask.float()
        doubt = 1 - known.amax(1).mean()
        return {"loss": doubt, "overlap": overlap(covered, mask).mean()}

    def _found(self, photos: Photos, offsets: Tensor) -> Fit:
        """Shapes from where the photos were taken."""
        found = self.search(photos.maps, photos.mask)
        half = self.semantics.grown
        whole = icosphere().symmetrise(half + offsets)
        return self.fit(offsets, half, teacher(whole, found))


def _upward(turns: Tensor) -> Tensor:
    """The direction of the template [B,3] that is up in photos of these turns [B,4]."""
    back = turns * turns.new_tensor([1.0, -1.0, -1.0, -1.0])
    up = turns.new_tensor([0.0, -1.0, 0.0]).expand(len(turns), 1, 3)
    return rotate(up, back)[:, 0]
