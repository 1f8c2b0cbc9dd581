"""What stages s1 and s2 share: a network whose meshes are fitted to silhouettes and parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim import AdamW

from iid_mesh.camera_search import CameraSearch
from iid_mesh.found_cameras import Found
from iid_mesh.framing import framed
from iid_mesh.losses import cameras, parts, surface
from iid_mesh.losses.silhouette import overlap, overlap_loss
from iid_mesh.networks.mesh_net import Design, Prediction, Stage
from iid_mesh.networks.state import MESH, untrained
from iid_mesh.render.camera import geodesic, project
from iid_mesh.render.hard import interpolated, seen_vertices, visible
from iid_mesh.render.soft import silhouettes
from iid_mesh.settings import MeshConfig
from iid_mesh.stages.photos import Fit, Photos
from iid_mesh.template import icosphere
from intrinsic_cli.api import Runtime, Source, Trainer
from intrinsic_cli.kit.networks.checkpoint import load_into
from intrinsic_cli.kit.networks.device import place

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch, Split

#: Pixels of each part that vertices are drawn to.
_POINTS = 24
#: What angles and frames weigh beside the choice of a camera.
_TURN, FRAME = 20.0, 4.0


class FittingStage(Trainer):
    """A stage that fits meshes. It learns from what the camera search finds."""

    watch = "loss"
    inference = frozenset({MESH})

    def __init__(
        self, config: MeshConfig, source: Source, runtime: Runtime, stage: Stage = "s2"
    ) -> None:
        self._config, self._source, self._device = config, source, runtime.device
        zones = config.backbone == "lite" and "zones" in source.offers
        design = Design(config.backbone, config.hypotheses, stage, zones=zones)
        self.mesh = untrained(design, config.pretrained)
        self.mesh.crop.fill_(config.crop)
        self.search = CameraSearch(self.mesh.anchors.clone())
        self.nets = {MESH: self.mesh, "search": self.search}
        self._faces = icosphere().faces.to(runtime.device)

    def _place(self, growing: Iterable[Tensor] = ()) -> None:
        """Onto the device, with one optimizer for the network and what grows."""
        c = self._config
        for net in self.nets.values():
            place(net, self._device)
        encoder, others = self.mesh.split_parameters()
        if c.encoder_lr == 0:
            for layer in encoder:
                layer.requires_grad_(False)
            encoder = []
        named = self.mesh.named_parameters()
        bending = {parameter for name, parameter in named if ".shape" in name}
        rest = [parameter for parameter in others if parameter not in bending]
        groups = [
            {"params": rest, "lr": c.lr},
            {"params": [p for p in others if p in bending], "lr": c.shape_lr},
            {"params": encoder, "lr": c.encoder_lr},
            {"params": list(growing), "lr": c.growth_lr},
        ]
        filled = [group for group in groups if group["params"]]
        self.optimizers = {MESH: AdamW(filled, weight_decay=1e-4, fused=True)}

    def adopt(self, runtime: Runtime, *stages: str) -> None:
        """Go on with the network of the last of these stages that was trained, or where it is of
        another size with its template."""
        for stage in stages:
            state = runtime.parents.get(stage)
            if state is None:
                continue
            mine, theirs = self.mesh.state_dict(), state[MESH]
            if all(key in theirs and theirs[key].shape == mine[key].shape for key in mine):
                load_into(self.mesh, state, MESH)
            for name in ("mean_v", "template_parts"):
                self.mesh.get_buffer(name).copy_(theirs[name])

    def batches(self, split: Split, start: int = 0) -> Iterable[Batch]:
        c = self._config
        return self._source.batches(split, c.batch_size, c.crop, c.seed, start)

    def fit(self, offsets: Tensor, half: Tensor, camera: Tensor, size: int = 0) -> Fit:
        """Meshes of offsets [B,337,3] from a template's half [337,3], seen by cameras [B,7] in
        pictures of ``size``, of 0 that of training renders."""
        template = icosphere()
        vertices = template.symmetrise(half + offsets)
        points = project(vertices, camera)
        seen = visible(points.detach(), self._faces, size or self._config.render)
        return Fit(template.symmetrise(offsets), vertices, camera, points, seen)

    def camera_terms(self, answer: Prediction, found: Found, half: Tensor) -> dict[str, Tensor]:
        """How far the proposed cameras are from what was found."""
        template = icosphere()
        vertices = template.symmetrise(half + answer.shape).detach()
        wanted, turns = found.wanted(), answer.cameras[..., 3:]
        flat = project_all(vertices, answer.cameras)
        box = found.box
        return {
            "camera": cameras.disagreement(answer.logits, found.chances).mean(),
            "turn": _TURN * cameras.turn_error(turns, wanted, found.chances).mean(),
            "frame": FRAME
            * cameras.framing_error(flat, box.centre, box.half, found.chances).mean(),
        }

    def surface_terms(self, fit: Fit) -> dict[str, Tensor]:
        """Smooth, and near the template."""
        terms = {
            "smooth": surface.laplacian(fit.vertices).mean(),
            "bend": surface.laplacian(fit.offsets).mean(),
            "deform": surface.deformation(fit.offsets).mean(),
        }
        if self._config.flatten_weight > 0:
            terms["flat"] = surface.creases(fit.vertices).mean()
        return terms

    def mask_term(self, fit: Fit, photos: Photos, sigma: float) -> Tensor:
        """What silhouettes lack to those of the photos."""
        alpha = silhouettes(fit.points, self._faces, self._config.render, sigma)
        return overlap_loss(alpha, self.smaller(photos.mask)[:, 0]).mean()

    def smaller(self, maps: Tensor) -> Tensor:
        """Pictures [B,C,H,W] at the size of training renders."""
        return F.adaptive_avg_pool2d(maps, self._config.render)

    def vertex_term(self, fit: Fit, photos: Photos) -> Tensor:
        """How far vertices are from the parts they belong to."""
        shown, present = parts.sampled(photos.maps, _POINTS)
        labels = self.mesh.template_parts[:, 1:].argmax(1)
        flat = fit.points[..., :2]
        weights = seen_vertices(fit.seen, self._faces).float()
        distance = parts.vertex_distance(flat, weights, labels, shown, present)
        return distance.mean()

    def total(self, terms: Mapping[str, Tensor]) -> Tensor:
        """All terms by their weights."""
        c = self._config
        weights = {
            "mask": c.mask_weight,
            "smooth": c.laplacian_weight,
            "flat": c.flatten_weight,
            "bend": c.bend_weight,
            "deform": c.deform_weight,
            "texture": c.texture_weight,
            "off": c.flow_weight,
            "cycle": c.cycle_weight,
            "gan": c.gan_weight,
            "entropy": c.entropy_weight,
            "parts": c.part_weight,
            "vertex": c.vertex_weight,
            "seen parts": c.map_weight,
            "seen zones": c.zone_map_weight,
            "coverage": c.coverage_weight,
            "zone": c.zone_weight,
            "strayed": c.stray_weight,
        }
        weighed = [weights.get(name, c.camera_weight) * term for name, term in terms.items()]
        return torch.stack(weighed).sum()

    def sigma(self, number: int, steps: int) -> float:
        """The softness of silhouettes at a step, falling evenly in its logarithm."""
        c = self._config
        share = min(1.0, number / max(1, steps))
        return float(c.sigma * (c.last_sigma / c.sigma) ** share)

    def answered(self, photos: Photos) -> tuple[Prediction, Fit]:
        """What the network says by itself."""
        answer = self.mesh(photos.photo)
        half, size = self.mesh.mean_v, photos.mask.shape[-1]
        return answer, self.fit(answer.shape, half, answer.likeliest(), size)

    def validate(self, batch: Batch) -> Mapping[str, Tensor]:
        photos = Photos.of(batch)
        _, fit = self.answered(photos)
        true = (photos.mask[:, 0] > 0.5).float()
        iou = overlap(fit.seen.mask.float(), true).mean()
        losses = {"iou": iou, "loss": 1 - iou}
        if photos.has_parts:
            losses["parts"] = self._part_error(fit, photos)
            losses["loss"] = 1 - iou + losses["parts"] / 2
        if "cameras" in batch:
            apart = geodesic(fit.camera[:, 3:], batch["cameras"][:, 3:])
            losses["degrees"] = apart.median()
        return losses

    def _part_error(self, fit: Fit, photos: Photos) -> Tensor:
        """How much of the objects shows another part than the photos."""
        true = photos.maps[:, 1:]
        error = self._shown_parts(fit) - true
        wrong = error.abs().sum(1).mean((1, 2))
        area = photos.mask.mean((1, 2, 3))
        share = wrong / area.clamp_min(1e-3)
        return share.mean()

    def preview(self, batch: Batch) -> Mapping[str, Tensor]:
        photos = Photos.of(batch)
        _, fit = self.answered(photos)
        covered = fit.seen.mask[:, None].float()
        shown = {
            "photo": batch["photo"],
            "mask": photos.mask.expand(-1, 3, -1, -1),
            "silhouette": covered.expand(-1, 3, -1, -1),
            "shape": shaded(fit, self._faces),
        }
        if photos.has_parts:
            shown["parts"] = coloured(self._shown_parts(fit))
            shown["true parts"] = coloured(photos.maps[:, 1:])
        return shown

    def _shown_parts(self, fit: Fit) -> Tensor:
        table = self.mesh.template_parts[:, 1:].expand(len(fit.points), -1, -1)
        return interpolated(fit.seen, self._faces, table)


def teacher(vertices: Tensor, found: Found) -> Tensor:
    """The likeliest cameras [B,7], in which meshes [B,642,3] fill the silhouettes' boxes."""
    return framed(vertices.detach(), found.best, found.box)


def project_all(vertices: Tensor, proposed: Tensor) -> Tensor:
    """Vertices [B,V,3] seen by K cameras each [B,K,7]: x and y [B,K,V,2]."""
    count = proposed.shape[1]
    repeated = vertices.repeat_interleave(count, 0)
    flat = project(repeated, proposed.flatten(0, 1))[..., :2]
    return flat.view(-1, count, vertices.shape[1], 2)


def shaded(fit: Fit, faces: Tensor) -> Tensor:
    """Meshes as gray clay, lit from the viewer: [B,3,S,S]."""
    corners = fit.points.detach()[:, faces]
    first, second, third = corners.unbind(2)
    normal = torch.linalg.cross(second - first, third - first)
    normal = F.normalize(normal, dim=-1)
    facing = normal[..., 2].abs()
    seen = fit.seen
    index = seen.face.clamp_min(0).flatten(1)
    light = facing.gather(1, index)
    gray = light.view_as(seen.depth) * seen.mask
    return gray[:, None].expand(-1, 3, -1, -1)


def coloured(maps: Tensor) -> Tensor:
    """Four parts [B,4,S,S] in colours of their own: [B,3,S,S]."""
    colours = maps.new_tensor([[1.0, 0.1, 0.1], [1.0, 0.8, 0.1], [0.1, 0.6, 0.2], [0.2, 0.3, 1.0]])
    return torch.einsum("bphw,pc->bchw", maps, colours)
