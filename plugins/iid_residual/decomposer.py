"""A network of the family at work: faces in, layers and light out.

Crops come at the photo's own size. The network sees a small copy; its shading is upsampled along
the photo's edges, and the albedo is what the photo leaves: no detail is lost however large the
photo. What the harmonics miss of the shading, times the albedo, is the residual layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor

from iid_residual import harmonics
from iid_residual.domain import Domain
from iid_residual.faces.regions import regions_of
from iid_residual.networks.pipe import Conventions, Network, Prediction
from iid_residual.relight import Wanted, relit_shading
from iid_residual.settings import ResidualOptions
from iid_residual.variants import Design
from intrinsic_cli.api import Decomposer, Frame, Outputs, Region, Runtime
from intrinsic_cli.kit.light.resize import fit_size, resize
from intrinsic_cli.kit.light.upsample import upsample_shading
from intrinsic_cli.kit.networks.device import place

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

#: What the networks' maps divide a photo's sides by.
_MULTIPLE = 32
#: Shading is at least so much of its mean: below, an albedo would be noise.
_DARKEST = 0.04
_LEAST = 1e-4
_WHITE = 0.995  # share of pixels whose albedo must not exceed 1
LIGHT = "light"


class ResidualDecomposer(Decomposer):
    """See :class:`~intrinsic_cli.api.Decomposer`."""

    def __init__(
        self,
        design: Design,
        network: Network,
        conventions: Conventions,
        options: ResidualOptions,
        runtime: Runtime,
    ) -> None:
        self._design, self._options = design, options
        self._network = place(network.eval(), runtime.device)
        self._srgb = bool(conventions.srgb)
        self._wanted = Wanted.of(options.light, options.ambient)
        self._view = Frame(size=options.size, multiple=_MULTIPLE)
        self.frame = Frame()

    def regions(self, photo: Image) -> Sequence[Region] | None:
        return regions_of(photo, self._options)

    def turned(self, name: str, record: Mapping[str, Any], region: Region) -> Mapping[str, Any]:
        if name != LIGHT or region.angle == 0:
            return record
        coefficients = torch.tensor([record["sh"]], dtype=torch.float32)
        light = harmonics.from_house(coefficients)
        turn = harmonics.in_plane(region.angle)
        (turned,) = light_record(harmonics.rotated(light, turn))
        return turned

    def __call__(self, photos: Tensor) -> Outputs:
        small = resize(photos, self._size(photos))
        domain = Domain.of(small, self._srgb)
        made: Prediction = self._network(domain.seen(small))
        shading, harmonic = _shadings(made, domain, small)
        full = upsample_shading(photos, shading)
        albedo = photos / full
        layers = {
            "normals": harmonics.vectors_to_house(made.normals),
            "albedo": albedo,
            "shading": full,
            "mask": _outline(made, shading),
        }
        if self._design.residual and made.harmonic is not None:
            plain = _large(harmonic, photos)
            layers |= {"shading": plain, "residual": photos - albedo * plain}
        records = {}
        if made.light is not None:
            light = domain.harmonics(made.light)
            records[LIGHT] = light_record(light)
            if self._wanted is not None:
                layers["relit"] = self._relit(photos, made.normals, light, layers, shading)
        return Outputs(layers=layers, records=records)

    def _size(self, photos: Tensor) -> tuple[int, int]:
        """Of the copy the network sees; small crops are enlarged."""
        height, width = photos.shape[-2:]
        scale = max(1.0, self._options.size / min(height, width))
        return fit_size(round(height * scale), round(width * scale), self._view)

    def _relit(
        self,
        photos: Tensor,
        normals: Tensor,
        light: Tensor,
        layers: Mapping[str, Tensor],
        shading: Tensor,
    ) -> Tensor:
        """The photo under the light asked for, where the head is."""
        assert self._wanted is not None
        wanted = self._wanted.light_for(light)
        made = relit_shading(normals, wanted, shading, layers["mask"])
        part = _large(layers["mask"], photos)
        relit = layers["albedo"] * _large(made, photos)
        # What is brighter than the photo's white would darken all of an integer file.
        white = photos.amax((1, 2, 3), keepdim=True).clamp_min(1)
        return photos + part * (torch.minimum(relit, white) - photos)


def light_record(light: Tensor) -> list[dict[str, Any]]:
    """A record a light [B,27]: the house's coefficients, where most of it comes from, and its
    focus: 0 for light from everywhere, 1 for a lamp alone."""
    outside = harmonics.to_house(light).tolist()
    directions = harmonics.direction(light).cpu()
    first = light.view(-1, 3, 9).mean(1)
    aimed = first[:, 1:4].norm(dim=1) / first[:, 0].abs().clamp_min(1e-6)
    focus = (aimed / 3**0.5).clamp(0, 1).tolist()
    records = []
    for coefficients, vector, share in zip(outside, directions, focus, strict=True):
        azimuth, elevation = harmonics.angles(vector)
        records.append(
            {
                "sh": [round(value, 6) for value in coefficients],
                "order": harmonics.ORDER,
                "direction": {"azimuth": round(azimuth, 2), "elevation": round(elevation, 2)},
                "focus": round(share, 4),
            }
        )
    return records


def _shadings(made: Prediction, domain: Domain, small: Tensor) -> tuple[Tensor, Tensor]:
    """All of the shading and the harmonics' part of it, linear, above 0, and so bright that almost
    no albedo reflects more than it receives."""
    shading = domain.shading(made.shading)
    mean = shading.mean((1, 2, 3), keepdim=True)
    least = (_DARKEST * mean).clamp_min(_LEAST)
    shading = torch.maximum(shading, least)
    seen = resize(small, (shading.shape[-2], shading.shape[-1]))
    excess = _excess(seen / shading)
    if made.harmonic is None:
        return shading * excess, shading * excess
    harmonic = domain.shading(made.harmonic)
    harmonic = torch.maximum(harmonic, least)
    return shading * excess, harmonic * excess


def _excess(albedo: Tensor) -> Tensor:
    """How far the brightest of an albedo [B,3,h,w] is above white, at least 1: [B,1,1,1]."""
    brightest = albedo.amax(1).flatten(1)
    level = brightest.quantile(_WHITE, dim=1)
    return level.clamp_min(1).view(-1, 1, 1, 1)


def _outline(made: Prediction, shading: Tensor) -> Tensor:
    """Where the head is, [B,1,h,w]; of a network that does not say, everywhere."""
    if made.outline is None:
        return torch.ones_like(shading[:, :1])
    return _large(made.outline, shading).sigmoid()


def _large(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=False)
