"""Photos of objects to textured meshes: silhouettes found, shapes fitted, textures painted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from iid_mesh import records
from iid_mesh.fit import SIZE, Fitted, Start, fit, overlap
from iid_mesh.mesh_file import to_mesh
from iid_mesh.networks.mesh_net import MeshNet, Prediction
from iid_mesh.objects import box_of, objects
from iid_mesh.outline import drawn
from iid_mesh.rendering import Rendered, render, turntable
from iid_mesh.segmentation import SegmentationModel
from iid_mesh.settings import MeshOptions
from iid_mesh.silhouettes import Silhouette, find_silhouette, has_alpha
from iid_mesh.surface import Surface
from iid_mesh.template import icosphere
from iid_mesh.texture import Painted, paint, width_for
from iid_mesh.texture_flow import FLOW, picture
from intrinsic_cli.api import Decomposer, Frame, Mesh, Outputs, Region, Runtime, UsageError
from intrinsic_cli.kit.light.colour import linear_to_srgb
from intrinsic_cli.kit.light.resize import resize

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

#: Steps of the fit where nothing else is asked for: without a network, and after one. The outlines
#: of small objects have little to fit, and take half as many.
ALONE, AFTERWARDS = 120, 40
#: Free on each side of an object, of the side of its square: a twentieth of its longer side, as in
#: the crops that networks learn from.
MARGIN = 0.05 / 1.1
#: How stiff shapes are in the fit to the outline a network sees by itself.
_SUPPLE = 0.3
#: Side of the silhouettes that are compared there, pixels.
_COMPARED = 64
#: Outlines that agree less are told of.
_POOR = 0.7
_TURNTABLE_SIZE = 240  # pixels
_SILHOUETTE = "silhouette"  # where that of a region comes from, in its facts


@dataclass(frozen=True, slots=True)
class _Shape:
    """A shape and its camera, how probable each of the network's cameras was, and its texture flow
    [2,h,w], where there is a network."""

    fitted: Fitted
    chances: list[float]
    flow: Tensor | None = None


@dataclass(frozen=True, slots=True)
class _Made:
    """Everything of one object."""

    rendered: Rendered
    silhouette: Tensor
    mesh: Mesh
    painted: Painted
    record: Mapping[str, Any]
    film: Tensor
    flow: Tensor | None
    notes: tuple[str, ...]


class MeshDecomposer(Decomposer):
    """See :class:`~intrinsic_cli.api.Decomposer`. ``network`` None: shapes are fitted to
    silhouettes alone."""

    frame = Frame(alpha=True, upsample="resize")

    def __init__(
        self,
        options: MeshOptions,
        runtime: Runtime,
        network: MeshNet | None = None,
    ) -> None:
        self._options, self._network = options, network
        self._model = None
        if options.mask_model:
            self._model = SegmentationModel(Path(options.mask_model).expanduser())
        self._default = ALONE if network is None else AFTERWARDS
        if options.flow and network is None:
            raise UsageError("a texture flow needs a network", "give weights, or leave out flow")

    def regions(self, photo: Image) -> Sequence[Region]:
        """A square around each object; all of the photo where its silhouette does not matter."""
        needed = self._network is None or self._options.refine
        if not needed and not has_alpha(photo):
            return [_whole(photo)]
        found = find_silhouette(photo, self._model)
        masks = objects(found.mask, self._options.objects)
        label = "" if len(masks) == 1 else "object"
        return [_region(mask, label, found) for mask in masks]

    def turned(self, name: str, record: Mapping[str, Any], region: Region) -> Mapping[str, Any]:
        if name != "camera" or region.alpha is None:
            return record
        placed = records.in_photo(record, region)
        if _SILHOUETTE not in region.facts:
            placed["iou"] = None  # nobody looked for one: there is nothing to agree with
        return placed

    def __call__(self, photos: Tensor) -> Outputs:
        with torch.inference_mode(False), torch.no_grad():
            own = photos.detach().clone().float()
            made = [self._make(photo) for photo in own]
        rendered = [one.rendered for one in made]
        layers = {
            "albedo": torch.stack([each.albedo for each in rendered]),
            "shading": torch.stack([each.shading for each in rendered]),
            "render": torch.stack([each.render for each in rendered]),
            "mask": torch.stack([each.mask for each in rendered]),
            "silhouette": torch.stack([one.silhouette for one in made]),
        }
        return Outputs(
            layers=layers,
            meshes={"mesh": [one.mesh for one in made]},
            textures=self._textures(made),
            records={"camera": [one.record for one in made]},
            animations={"turntable": [one.film.cpu().numpy() for one in made]},
            notes=[one.notes for one in made],
            alpha=layers["mask"],
        )

    def _textures(self, made: Sequence[_Made]) -> dict[str, list[Image]]:
        textures = {"texture": [one.mesh.texture for one in made]}
        if self._options.flow:
            textures[FLOW] = [picture(one.flow) for one in made if one.flow is not None]
        return textures

    def _make(self, photo: Tensor) -> _Made:
        """Everything of one object, from its square [4,S,S] linear with alpha."""
        colours, mask = photo[:3], photo[3]
        side = photo.shape[-1]
        shape = self._shape(colours, mask)
        fitted = shape.fitted
        surface = Surface.of(fitted.vertices, fitted.camera, icosphere())
        width = self._options.texture or width_for(side)
        painted = paint(surface, colours, mask, width)
        small = min(_TURNTABLE_SIZE, max(64, side))
        return _Made(
            rendered=render(surface, painted, side),
            silhouette=mask[None],
            mesh=to_mesh(fitted.vertices, painted),
            painted=painted,
            record=records.camera(fitted, shape.chances),
            film=turntable(surface, painted, self._options.frames, small),
            flow=shape.flow,
            notes=self._notes(fitted),
        )

    def _shape(self, colours: Tensor, mask: Tensor) -> _Shape:
        """The shape of an object in a square photo [3,S,S] with its silhouette [S,S]."""
        steps = self._steps(len(mask))
        if self._network is None:
            return _Shape(fit(mask, steps), [1.0])
        crop = int(self._network.crop)
        small = resize(colours[None], (crop, crop))
        made = self._network(linear_to_srgb(small.clamp(0, 1)), mirrored=True)
        if steps:
            fitted = fit(mask, steps, _start(self._network, made))
        else:
            fitted = self._alone(self._network, made, colours)
            agreement = overlap(fitted.vertices, fitted.camera, mask)
            fitted = replace(fitted, iou=agreement)
        chances = made.probabilities[0].tolist()
        return _Shape(fitted, chances, made.flow()[0])

    def _alone(self, network: MeshNet, made: Prediction, colours: Tensor) -> Fitted:
        """What the network says without being told a silhouette: its shape, fitted to the outline
        of the object that it sees by itself in the photo [3,S,S]."""
        start = _start(network, made)
        inside = network.inside(made)
        steps = self._options.outline
        if inside is None or not steps or not bool((inside > 0.5).any()):
            (vertices,) = network.vertices(made.shape)
            return Fitted(vertices, start.camera, 0.0)
        photo = linear_to_srgb(colours.clamp(0, 1)).movedim(0, 2)
        seen = torch.from_numpy(drawn(photo.cpu().numpy(), inside[0].cpu().numpy()))
        supple = replace(start, stiffness=_SUPPLE)
        return fit(seen.to(inside), steps, supple, _COMPARED)

    def _steps(self, side: int) -> int:
        """Of the fit of an object whose square has this side, pixels."""
        if self._options.refine >= 0:
            return self._options.refine
        share = min(1.0, max(0.5, side / SIZE))
        return round(self._default * share)

    def _notes(self, fitted: Fitted) -> tuple[str, ...]:
        if not self._options.refine or fitted.iou >= _POOR:
            return ()
        message = f"the mesh covers its silhouette poorly (IoU {fitted.iou:.2f})"
        if self._network is None:
            return (f"{message}; more steps may help: -O refine=400",)
        return (f"{message}; for objects the network has not learned there is -m mesh:fit",)


def _start(network: MeshNet, made: Prediction) -> Start:
    """The shape and the likeliest camera of the first photo."""
    half = network.mean_v + made.shape[0]
    return Start(half, made.likeliest()[0])


def _whole(photo: Image) -> Region:
    """The square around all of a photo."""
    height, width = photo.shape[:2]
    side = max(height, width)
    left = (width - side) // 2
    top = (height - side) // 2
    box = (float(left), float(top), float(side), float(side))
    return Region(box, label="", feather=0.0, alpha=photo[..., 3])


def _region(mask: Image, label: str, found: Silhouette) -> Region:
    return Region(
        box_of(mask, MARGIN),
        label=label,
        feather=0.0,
        facts={_SILHOUETTE: found.source},
        notes=found.notes,
        alpha=mask,
    )
