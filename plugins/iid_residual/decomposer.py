"""A network of the family at work: faces in, layers and light out.

Crops come at the photo's own size. The network sees a small copy; its shading is upsampled along
the photo's edges, and the albedo is what the photo leaves: no detail is lost however large the
photo. What the harmonics miss of the shading, times the albedo, is the residual layer. Where the
house pastes faces into a photo, they end at the outline of the head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from iid_residual import harmonics
from iid_residual.domain import Domain
from iid_residual.faces.find import require_model
from iid_residual.faces.regions import face_box, regions_of
from iid_residual.light_outputs import add_relit, form_of
from iid_residual.lights import LIGHT, light_of, light_record
from iid_residual.networks.pipe import Conventions, Network, Prediction
from iid_residual.networks.twice import twice
from iid_residual.outline import along_edges, middle_head, upright_head
from iid_residual.relight import Wanted
from iid_residual.settings import ResidualOptions
from iid_residual.shadings import bounded_shadings, drawn_faces
from iid_residual.shown_faces import ShownFace, seen_together
from iid_residual.variants import Design
from intrinsic_cli.api import (
    Decomposer,
    Decomposition,
    Frame,
    Outputs,
    Region,
    Runtime,
    UsageError,
)
from intrinsic_cli.kit.light.resize import fit_size, resize
from intrinsic_cli.kit.light.upsample import size_of, upsample_shading
from intrinsic_cli.kit.networks.device import place
from intrinsic_cli.kit.networks.folded import folded

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

#: What the networks' maps divide a photo's sides by.
_MULTIPLE = 32
_MASK = "mask"


class ResidualDecomposer(Decomposer):
    """See :class:`~intrinsic_cli.api.Decomposer`."""

    mixes_sizes = True

    def __init__(
        self,
        design: Design,
        network: Network,
        conventions: Conventions,
        options: ResidualOptions,
        runtime: Runtime,
    ) -> None:
        self._design, self._options = design, options
        self._network = place(folded(network), runtime.device)
        self._srgb = bool(conventions.srgb)
        self._wanted = Wanted.of(options)
        form_of(options)
        require_model(options.face_model)
        if self._wanted is not None and not design.harmonic:
            raise UsageError(f"variant {design.name} has no light to move", "take another variant")
        self.frame = Frame()

    def regions(self, photo: Image) -> Sequence[Region] | None:
        return regions_of(photo, self._options)

    def look_each(
        self, photos: Sequence[Tensor], regions: Sequence[Region | None]
    ) -> list[Outputs]:
        faces = []
        for photo, region in zip(photos, regions, strict=True):
            share = _face_share(region)
            small = resize(photo, self._size(photo, share))
            faces.append(ShownFace(photo, share, small, Domain.of(small, self._srgb)))
        made = seen_together(self._made, [face.seen for face in faces])
        pairs = zip(faces, made, strict=True)
        return [self._answer(face, prediction) for face, prediction in pairs]

    def __call__(self, photos: Tensor) -> Outputs:
        small = resize(photos, self._size(photos, None))
        shown = ShownFace(photos, None, small, Domain.of(small, self._srgb))
        return self._answer(shown, self._made(shown.seen))

    def turned(self, name: str, record: Mapping[str, Any], region: Region) -> Mapping[str, Any]:
        light = light_of(record)
        if name != LIGHT or light is None:
            return record
        turn = harmonics.in_plane(region.angle)
        turned = light if region.angle == 0 else harmonics.rotated(light[None], turn)[0]
        (described,) = light_record(turned[None])
        box = face_box(region) or region.box
        where = {"box": [round(side, 2) for side in box], "angle": round(region.angle, 2)}
        if region.confidence is not None:
            where["confidence"] = round(region.confidence, 4)
        return {**where, **described}

    def finished(self, result: Decomposition) -> Decomposition:
        layers = dict(result.layers)
        pasted = any(face_box(region) for region in result.regions)
        if pasted and result.alpha is not None:
            layers[_MASK] = result.alpha[..., None]
        result = replace(result, layers=layers)
        if self._wanted is None:
            return result
        return add_relit(self._wanted, result, self._options)

    def _answer(self, face: ShownFace, made: Prediction) -> Outputs:
        domain, share = face.domain, face.share
        outline = _outline(made, face.photo, share)
        shading, harmonic = bounded_shadings(made, domain, face.small, outline)
        layers = self._layers(face.photo, made, shading, harmonic)
        if self._options.rebuilt:
            layers |= drawn_faces(made, domain)
        records = {}
        if made.light is not None:
            records[LIGHT] = light_record(domain.harmonics(made.light))
        alpha = None if share is None else outline
        return Outputs(layers={**layers, _MASK: outline}, records=records, alpha=alpha)

    def _made(self, seen: Tensor) -> Prediction:
        """The network's answer; published networks are left to answer as they were published."""
        if self._options.mirrored and not self._srgb:
            return twice(self._network, seen)
        made: Prediction = self._network(seen)
        return made

    def _layers(
        self, photos: Tensor, made: Prediction, shading: Tensor, harmonic: Tensor
    ) -> dict[str, Tensor]:
        full = upsample_shading(photos, shading)
        albedo = photos / full
        layers = {
            "normals": harmonics.vectors_to_house(made.normals),
            "albedo": albedo,
            "shading": full,
        }
        if self._design.residual and made.harmonic is not None:
            plain = resize(harmonic, size_of(photos))
            layers["shading"] = plain
            layers["residual"] = photos - albedo * plain
        return layers

    def _size(self, photos: Tensor, share: float | None) -> tuple[int, int]:
        """Of the copy the network sees, in which a face has the size it is trained with; small
        crops are enlarged."""
        height, width = size_of(photos)
        wanted = round(self._options.size / (share or 1.0))
        view = Frame(size=wanted, multiple=_MULTIPLE)
        scale = max(1.0, wanted / min(height, width))
        height = round(height * scale)
        width = round(width * scale)
        return fit_size(height, width, view)


def _face_share(region: Region | None) -> float | None:
    """How much of a region's side the square of its face has."""
    box = face_box(region)
    if box is None or region is None:
        return None
    return round(box[2] / region.box[2], 3)


def _outline(made: Prediction, photos: Tensor, share: float | None) -> Tensor:
    """Where the heads are, [B,1,H,W]; of a network that does not say, an ellipse or, where the
    photos are nothing but faces, everywhere."""
    if made.outline is not None:
        drawn = made.outline.sigmoid()
        if share is not None:
            drawn = middle_head(drawn)
        return along_edges(photos, resize(drawn, size_of(made.normals)))
    if share is None:
        return torch.ones_like(photos[:, :1])
    return upright_head(photos, share)
