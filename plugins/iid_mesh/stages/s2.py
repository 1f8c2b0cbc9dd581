"""Stage s2: shapes, cameras and textures of photos, on the template that was grown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from iid_mesh.found_cameras import Found
from iid_mesh.framing import boxes
from iid_mesh.growth import named_parts, part_counts
from iid_mesh.losses import cameras, parts, texture
from iid_mesh.networks.discriminator import Discriminator
from iid_mesh.networks.lite import Lite
from iid_mesh.networks.matching import Likeness
from iid_mesh.networks.mesh_net import Prediction
from iid_mesh.render.camera import matrices, project, turned
from iid_mesh.render.hard import interpolated
from iid_mesh.render.soft import colours, silhouettes
from iid_mesh.settings import MeshConfig
from iid_mesh.smoothing import smooth_shape
from iid_mesh.stages.fitting import FRAME, FittingStage, shaded
from iid_mesh.stages.photos import Fit, Photos, shaken
from iid_mesh.stages.zone_terms import flow_terms, vertex_term
from iid_mesh.template import icosphere
from iid_mesh.uv import on_surface, painted
from iid_mesh.zone_table import ZoneTable, zones_of
from intrinsic_cli.api import Runtime, Source

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch
    from intrinsic_cli.api.method import Minimise

#: Vertices whose flow is looked at in a step: a third of them.
_VERTICES = 214
#: Steps after which cameras are searched by the zones that were counted meanwhile.
_RENEWED = 50
#: How far beyond the plane of symmetry the far side of the template still counts as seen.
_BEYOND = 0.05


class ConsistentStage(FittingStage):
    """Semantic consistency, the texture cycle and K anchored cameras on a fixed template. Each
    photo is rendered from the camera whose anchor the search finds likeliest.

    Where zones are known, they teach cameras, vertices and the flow in place of parts and the
    texture cycle, as soon as enough of them was seen on the template."""

    def __init__(self, config: MeshConfig, source: Source, runtime: Runtime) -> None:
        super().__init__(config, source, runtime, "s2")
        self.adopt(runtime, "s1", "template")
        if config.gan_weight > 0:
            self.discriminator = Discriminator(1, config.render)
            self.nets = {**self.nets, "discriminator": self.discriminator}
        self.zones: ZoneTable | None = None
        if "zones" in source.offers:
            self.zones = ZoneTable(zones_of(source))
            self.nets = {**self.nets, "zones": self.zones}
        weights = (config.coverage_weight, config.zone_weight, config.stray_weight)
        self._follows = self.zones is None or any(weights)
        self._place()
        if config.gan_weight > 0:
            group = {"params": list(self.discriminator.parameters()), "lr": config.lr}
            self.optimizers["mesh"].add_param_group(group)

    def setup(self) -> None:
        """Look at the template from all around; smooth the shapes that are begun with."""
        smoothings = self._config.smoothings
        if smoothings and isinstance(self.mesh.body, Lite):
            smooth_shape(self.mesh.body.shape, smoothings)
        known = self.mesh.template_parts
        if not bool(known.any()):
            known[:, 1:] = named_parts(icosphere().vertices).to(known)
        self.search.look_at(icosphere().symmetrise(self.mesh.mean_v), known[:, 1:])

    def step(self, batch: Batch, minimise: Minimise, number: int) -> Mapping[str, Tensor]:
        sigma = self.sigma(number, self._config.steps)
        photos = Photos.of(batch)
        if self.zones is not None:
            photos = shaken(photos)
            self._look(self.zones, number)
        terms = self._terms(photos, sigma)
        total = self.total(terms)
        minimise(total, "mesh")
        return {name: term.detach() for name, term in terms.items()}

    def _look(self, zones: ZoneTable, number: int) -> None:
        """From time to time the network's search looks at the zones that were counted, unless it
        knows zones that are to stay."""
        if not self._config.recount and self.mesh.search.ready:
            return
        if number and number % _RENEWED == 0:
            shape = icosphere().symmetrise(self.mesh.mean_v)
            self.mesh.search.look_at(shape, zones.shares())

    def _terms(self, photos: Photos, sigma: float) -> dict[str, Tensor]:
        c = self._config
        answer: Prediction = self.mesh(photos.photo, flow=self._follows)
        camera, terms = self._camera(answer, photos)
        fit = self.fit(answer.shape, self.mesh.mean_v, camera)
        terms["mask"] = self.mask_term(fit, photos, sigma)
        terms |= self.surface_terms(fit)
        if self._follows:
            terms |= self._flow_terms(answer, fit, photos)
        if photos.has_parts:
            terms |= self._part_terms(answer, fit, photos, sigma)
        if self.zones is not None:
            terms |= self._zone_terms(answer, fit, photos, self.zones)
        if c.gan_weight > 0:
            terms["gan"] = self._other_sides(fit, photos, sigma)
        return terms

    def _camera(self, answer: Prediction, photos: Photos) -> tuple[Tensor, dict[str, Tensor]]:
        """The cameras [B,7] that photos are rendered from, and what they learn: the network's own
        where it finds them by zones, which then learn their frames alone, else those whose
        anchors a search finds likeliest by the parts."""
        if self.by_zones:
            camera = answer.likeliest()
            points = project(self.mesh.vertices(answer.shape), camera)
            box = boxes(photos.mask)
            one = camera.new_ones(len(camera), 1)
            flat = points[:, None, :, :2]
            off = cameras.framing_error(flat, box.centre, box.half, one)
            return camera, {"frame": FRAME * off.mean()}
        found: Found = self.search(photos.maps, photos.mask)
        rows = torch.arange(len(photos.photo), device=photos.photo.device)
        camera = answer.cameras[rows, found.chances.argmax(1)]
        terms = self.camera_terms(answer, found, self.mesh.mean_v)
        terms["entropy"] = cameras.entropy(answer.logits).mean()
        return camera, terms

    @property
    def by_zones(self) -> bool:
        """Does the network find cameras by the zones it sees?"""
        return self.mesh.zone_head is not None and self.mesh.search.ready

    @torch.no_grad()
    def _count(self, zones: ZoneTable, fit: Fit, photos: Photos) -> None:
        zones.count(part_counts(fit.seen, self.smaller(photos.zones)))

    def _zone_terms(
        self, answer: Prediction, fit: Fit, photos: Photos, zones: ZoneTable
    ) -> dict[str, Tensor]:
        self._count(zones, fit, photos)
        terms = {}
        if answer.zones is not None:
            terms["seen zones"] = parts.map_loss(answer.zones, photos.zones).mean()
        if self.by_zones:
            terms["vertex"] = vertex_term(fit, photos, zones.shares())
        return terms

    def _flow_terms(self, answer: Prediction, fit: Fit, photos: Photos) -> dict[str, Tensor]:
        """Of the zones, or of the texture where they are not known."""
        zones, likeness = self.zones, answer.origin
        if zones is None or not self.by_zones:
            return self._texture_terms(answer, fit, photos)
        if not isinstance(likeness, Likeness):
            return self._texture_terms(answer, fit, photos)
        count = fit.points.shape[1]
        every = torch.randperm(count, device=self._device)
        table = zones.shares()
        return flow_terms(likeness, fit, photos, table, every[:_VERTICES])

    def _texture_terms(self, answer: Prediction, fit: Fit, photos: Photos) -> dict[str, Tensor]:
        """The texture flow comes from where it is seen, stays on the object, and looks like it."""
        directions = self._directions(fit)
        flow = answer.flow()
        come_from = on_surface(flow, directions)
        mask = self.smaller(photos.mask)
        shown = fit.seen.mask.float()
        rendered = painted(photos.photo, come_from)
        photo = self.smaller(photos.photo)
        both = shown[:, None] * mask
        barriers = texture.barrier(photos.mask)
        return {
            "cycle": texture.cycle(come_from, shown * _own_side(directions, fit.camera)).mean(),
            "off": texture.off_object(flow, barriers).mean(),
            "texture": texture.unlikeness(rendered, photo, both).mean(),
        }

    def _directions(self, fit: Fit) -> Tensor:
        sphere = icosphere().vertices.to(fit.points)
        return interpolated(fit.seen, self._faces, sphere.expand(len(fit.points), -1, -1))

    def _part_terms(
        self, answer: Prediction, fit: Fit, photos: Photos, sigma: float
    ) -> dict[str, Tensor]:
        terms = {"vertex": self.vertex_term(fit, photos)}
        if answer.parts is not None:
            terms["seen parts"] = parts.map_loss(answer.parts, photos.maps).mean()
        if self._config.part_weight > 0:
            table = self.mesh.template_parts[:, 1:].expand(len(fit.points), -1, -1)
            # Cameras are held: what parts say of these comes from the search and the vertices.
            size = self._config.render
            values, alpha = colours(fit.points, self._faces, table, size, sigma)
            shown = torch.cat([1 - alpha[:, None], values * alpha[:, None]], 1)
            terms["parts"] = parts.map_error(shown, self.smaller(photos.maps)).mean()
        return terms

    def _other_sides(self, fit: Fit, photos: Photos, sigma: float) -> Tensor:
        """How well silhouettes from elsewhere are told from those of photos; its gradient reaches
        the shapes turned round."""
        camera = fit.camera.detach()
        degrees = 180 * torch.rand(len(camera), device=camera.device)
        camera = turned(camera, "y", degrees)
        points = project(fit.vertices, camera)
        alpha = silhouettes(points, self._faces, self._config.render, sigma)
        fake = self.discriminator.loss(alpha[:, None], seen=False)
        seen = self.smaller(photos.mask)
        return fake + self.discriminator.loss(seen, seen=True)

    def preview(self, batch: Batch) -> Mapping[str, Tensor]:
        shown = dict(super().preview(batch))
        answer, fit = self.answered(Photos.of(batch))
        come_from = on_surface(answer.flow(), self._directions(fit))
        covered = fit.seen.mask[:, None]
        shown["texture"] = painted(batch["photo"], come_from) * covered
        aside = turned(fit.camera, "y", 90.0)
        size = fit.seen.mask.shape[-1]
        other = self.fit(answer.shape, self.mesh.mean_v, aside, size)
        shown["other side"] = shaded(other, self._faces)
        return shown


def _own_side(directions: Tensor, camera: Tensor) -> Tensor:
    """1 where pixels show the side of the object that is turned to the camera [B,7], 0 where the
    other one, by the template's ``directions`` [B,3,S,S]: [B,S,S]. Both sides share one texture,
    which can come from one of them only."""
    towards = -matrices(camera[:, 3:])[:, 2, 1].detach().sign()
    return (directions[:, 1] * towards[:, None, None] > -_BEYOND).float()
