"""One network, in two sizes, that sees a mesh in a photo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from iid_mesh.data.zones import UNSTEADY, ZONES
from iid_mesh.found_cameras import Found
from iid_mesh.framing import Box, boxes, framed
from iid_mesh.networks import lite, resnet
from iid_mesh.networks.draft import Cameras, Draft
from iid_mesh.networks.matching import Likeness
from iid_mesh.networks.paper import Paper
from iid_mesh.networks.parts import PARTS, PartHead
from iid_mesh.networks.zones import ZoneHead
from iid_mesh.render.camera import anchors, multiply, project
from iid_mesh.template import icosphere
from iid_mesh.uv import both_sides
from iid_mesh.zone_search import ZoneSearch

#: The published network has another shape head and another camera in each stage.
Stage = Literal["s1", "s2"]
#: Sides of photos, pixels: what they are made for.
_UNLIKELY = 1e-6  # the chance of a camera that no zone speaks for
CROPS: Mapping[str, int] = {"lite": 64, "paper": 256}


@dataclass(frozen=True, slots=True)
class Design:
    """Which network: ``backbone`` lite or paper; ``stage`` matters to the paper's only, which has
    one camera in s1."""

    backbone: str = "lite"
    hypotheses: int = 8
    stage: Stage = "s2"
    parts: bool = True
    zones: bool = True

    @property
    def deep(self) -> bool:
        """Is it the paper's of stage s1?"""
        return self.backbone == "paper" and self.stage == "s1"

    @property
    def cameras(self) -> int:
        """How many hypotheses there are in the end."""
        return 1 if self.deep else self.hypotheses


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a network says of photos.

    ``shape`` [B,337,3]: offsets from the mean shape. ``origin``: the flow of the paper's network,
    whose left side is that of the right, or what the small one's comes from; None where it was not
    asked for.
    ``cameras`` [B,K,7] (see :mod:`iid_mesh.render.camera`) with ``logits`` [B,K]. ``parts``
    [B,5,h',w'] probabilities of background and parts, None where a network does not say, as
    ``zones`` [B,1+K,h',w'] are of finer ones."""

    shape: Tensor
    origin: Tensor | Likeness | None
    cameras: Tensor
    logits: Tensor
    parts: Tensor | None
    zones: Tensor | None

    def flow(self) -> Tensor:
        """Where in the photo each texel has its colour from [B,2,h,w], x right and y down,
        -1..1."""
        assert self.origin is not None
        if isinstance(self.origin, Likeness):
            return self.origin.flow()
        return self.origin

    @property
    def probabilities(self) -> Tensor:
        """Of the cameras [B,K]."""
        return self.logits.softmax(1)

    def likeliest(self) -> Tensor:
        """The camera [B,7] that is most probable; nothing is drawn by chance."""
        return likeliest(self.cameras, self.logits)


class MeshNet(nn.Module):
    """Photos [B,3,H,W], sRGB 0..1 → :class:`Prediction`.

    ``mean_v`` [337,3] is the mean shape, a unit sphere at first; shapes of the small network lie
    where it lies and are as large, for place and size are the camera's to say. ``template_parts``
    [642,5] are probabilities of the parts at each vertex, all 0 where nobody has said; ``anchors``
    [K,4] turn the template before each camera does; ``crop`` is the side of the photos it learned
    from."""

    mean_v: Tensor
    template_parts: Tensor
    anchors: Tensor
    crop: Tensor

    def __init__(self, design: Design) -> None:
        super().__init__()
        sphere = icosphere()
        self.design = design
        self.register_buffer("mean_v", sphere.vertices[: sphere.half_vertices].clone())
        self.register_buffer("template_parts", torch.zeros(len(sphere.vertices), PARTS))
        self.register_buffer("anchors", anchors(design.cameras))
        self.register_buffer("crop", torch.tensor(CROPS[design.backbone]))
        self.body = _body(design, sphere.half_vertices)
        channels = resnet.MAPS if design.backbone == "paper" else lite.MAPS
        self.part_head = PartHead(channels) if design.parts else None
        self.zone_head: ZoneHead | None = None
        if design.backbone == "lite" and design.zones:
            self.zone_head = ZoneHead(channels, len(ZONES))
            counted = [float(name not in UNSTEADY) for name in ZONES]
            self.search = ZoneSearch(self.anchors.clone(), torch.tensor(counted))

    def forward(self, photos: Tensor, flow: bool = True, mirrored: bool = False) -> Prediction:
        """Without ``flow`` that is left out; with ``mirrored`` cameras are found by the mean of the
        zone maps of the photos and of those of their mirror images. Outlines are sharper without
        these: ``zones`` are of the photos alone."""
        draft: Draft = self.body(photos)
        parts = None
        if self.part_head is not None:
            parts = self.part_head(draft.maps).softmax(1)
        zones = told = self._zones(draft)
        if told is not None and mirrored:
            other = self._zones(self.body(photos.flip(3)))
            assert other is not None
            told = (told + other.flip(3)) / 2
        shape = draft.shape
        if isinstance(self.body, lite.Lite):
            shape = self._in_place(shape)
        cameras, logits = self._cameras(draft.cameras, shape, told)
        origin = None
        if flow:
            origin = self._origin(draft, shape, likeliest(cameras, logits))
        return Prediction(shape, origin, cameras, logits, parts, zones)

    def _zones(self, draft: Draft) -> Tensor | None:
        if self.zone_head is None:
            return None
        logits: Tensor = self.zone_head(draft.maps)
        return logits.softmax(1)

    def _in_place(self, offsets: Tensor) -> Tensor:
        """Offsets [B,337,3] without what a camera could do as well: shapes lie where the template
        lies and are as large."""
        template = icosphere().symmetrise(self.mean_v)
        middle, size = _middle_and_size(template[None])
        own, large = _middle_and_size(self.vertices(offsets))
        larger = size / large
        half = self.mean_v + offsets
        moved = (half - own) * larger
        return moved + middle - self.mean_v

    def _cameras(
        self, proposed: Cameras, shape: Tensor, zones: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Cameras [B,K,7] and their logits [B,K]: those proposed, or where the network sees zones
        and knows these of its template, the turns that they tell. The small network proposes boxes
        that shapes fill; the paper's, scales and shifts."""
        logits = proposed.logits
        turns = multiply(proposed.turns, self.anchors)
        if not isinstance(self.body, lite.Lite):
            return torch.cat([proposed.scales, proposed.shifts, turns], -1), logits
        if zones is not None and self.search.ready:
            turns, logits = self._by_zones(zones)
        return self._filling(shape, proposed, turns), logits

    def _by_zones(self, zones: Tensor) -> tuple[Tensor, Tensor]:
        """Turns [B,K,4] and logits [B,K] of what is found of zone maps."""
        inside = 1 - zones[:, :1]
        found: Found = self.search(zones, boxes(inside))
        logits = (found.chances + _UNLIKELY).log()
        return found.wanted(), logits

    def _filling(self, shape: Tensor, proposed: Cameras, turns: Tensor) -> Tensor:
        """Cameras [B,K,7] in which shapes fill the boxes that were proposed."""
        count = turns.shape[1]
        middles = proposed.shifts.flatten(0, 1)
        box = Box(middles, proposed.scales.flatten())
        vertices = self.vertices(shape)
        every = vertices.repeat_interleave(count, 0)
        cameras = framed(every, turns.flatten(0, 1), box)
        return cameras.view(-1, count, cameras.shape[1])

    def _origin(self, draft: Draft, shape: Tensor, camera: Tensor) -> Tensor | Likeness:
        """The flow itself, or what the pixels look like to the template's vertices, about where
        cameras [B,7] show these: matching teaches shapes and cameras nothing."""
        if draft.flow is not None:
            return both_sides(draft.flow)
        assert isinstance(self.body, lite.Lite)
        with torch.no_grad():
            points = project(self.vertices(shape), camera)
        found: Likeness = self.body.matching(draft.maps, draft.features, points)
        return found

    def split_parameters(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """Those of the encoder where it may begin pretrained, as the small one's does, and all
        others."""
        pretrained = self.design.backbone == "lite"
        encoder: list[nn.Parameter] = []
        others: list[nn.Parameter] = []
        for name, numbers in self.named_parameters():
            known = pretrained and name.startswith("body.encoder.")
            place = encoder if known else others
            place.append(numbers)
        return encoder, others

    def inside(self, made: Prediction) -> Tensor | None:
        """How likely pixels show the object [B,h,w], by the zones that were seen; None where the
        network sees none, or has not learned where they lie."""
        if made.zones is None or not self.search.ready:
            return None
        return 1 - made.zones[:, 0]

    def vertices(self, shape: Tensor) -> Tensor:
        """Offsets [B,337,3] → the whole shape [B,642,3], symmetric about y = 0."""
        return icosphere().symmetrise(self.mean_v + shape)


def _middle_and_size(vertices: Tensor) -> tuple[Tensor, Tensor]:
    """The mean of vertices [B,642,3], [B,1,3], and their mean distance from it [B,1,1]."""
    middle = vertices.mean(1, keepdim=True)
    apart = (vertices - middle).norm(dim=2)
    return middle, apart.mean(1)[:, None, None]


def likeliest(cameras: Tensor, logits: Tensor) -> Tensor:
    """The camera of the highest logit: [B,K,7] and [B,K] → [B,7]."""
    rows = torch.arange(len(logits), device=logits.device)
    return cameras[rows, logits.argmax(1)]


def _body(design: Design, vertices: int) -> nn.Module:
    if design.backbone == "paper":
        return Paper(vertices, design.cameras, design.deep)
    return lite.Lite(vertices, design.cameras)
