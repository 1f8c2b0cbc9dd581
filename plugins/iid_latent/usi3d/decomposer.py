"""The default network of ``usi3d`` at work: photos in, albedo and shading out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from torch import Tensor

from iid_latent.shared.consistent import coloured
from iid_latent.shared.content import MULTIPLE
from iid_latent.shared.log_images import from_log, to_log
from iid_latent.usi3d.networks import LayerDomain, PhotoDomain, Separate
from iid_latent.usi3d.settings import Usi3dOptions
from intrinsic_cli.api import Decomposer, Frame, Runtime
from intrinsic_cli.kit.light.exposure import exposure
from intrinsic_cli.kit.light.resize import enlarged, resize
from intrinsic_cli.kit.light.scale import reflectance_below_one
from intrinsic_cli.kit.networks.checkpoint import open_nets

if TYPE_CHECKING:
    from intrinsic_cli.api.method import NetState

_SIZE = 256
_WIDTH, _BLOCKS = 64, 1  # where weights do not tell, which open_nets will say


@dataclass(frozen=True, slots=True)
class Usi3dNets:
    """What decomposing needs, ready to use: the photo's domain, the layers' and the map between
    their priors."""

    photos: PhotoDomain
    albedos: LayerDomain
    shadings: LayerDomain
    separate: Separate


class Usi3dDecomposer(Decomposer):
    """See :class:`~intrinsic_cli.api.Decomposer`. The networks see the photo at a short side of
    ``size``, draw both layers at half of that, and the house brings them to full size."""

    def __init__(self, nets: Usi3dNets, options: Usi3dOptions) -> None:
        self._nets = nets
        self._options = options
        self._size = options.size or _SIZE
        upsample: Literal["divide", "resize"] = "divide" if options.exact else "resize"
        self.frame = Frame(size=self._size, multiple=MULTIPLE, upsample=upsample)

    def __call__(self, photos: Tensor) -> Mapping[str, Tensor]:
        photos = enlarged(photos, self._size, MULTIPLE)
        level = exposure(photos)
        log_albedo, log_shading = self._separate(to_log(photos, level))
        albedo = from_log(log_albedo.float())
        shading = from_log(log_shading.float()) * level
        if self._options.exact:
            height, width = albedo.shape[-2:]
            albedo, shading = coloured(resize(photos, (height, width)), albedo, shading)
        albedo, shading = reflectance_below_one(albedo, shading)
        return {"albedo": albedo, "shading": shading}

    def _separate(self, log_photo: Tensor) -> tuple[Tensor, Tensor]:
        albedo, shading = self._draw(log_photo)
        if not self._options.mirror:
            return albedo, shading
        mirrored_albedo, mirrored_shading = self._draw(log_photo.flip(3))
        albedo = (albedo + mirrored_albedo.flip(3)) / 2
        shading = (shading + mirrored_shading.flip(3)) / 2
        return albedo, shading

    def _draw(self, log_photo: Tensor) -> tuple[Tensor, Tensor]:
        content, prior = self._nets.photos.encode(log_photo)
        z_r, z_s = self._nets.separate(prior)
        albedo = self._nets.albedos.decode(content, z_r)
        shading = self._nets.shadings.decode(content, z_s)
        return albedo, shading


def decomposer_from(state: NetState, options: Usi3dOptions, runtime: Runtime) -> Usi3dDecomposer:
    """The decomposer of the default variant. Sizes come from the weights, so that other widths
    than the shipped one load as well."""
    width, blocks = _sizes(state.get("gen_r", {}))
    nets = Usi3dNets(
        photos=PhotoDomain(width, blocks),
        albedos=LayerDomain(width, blocks),
        shadings=LayerDomain(width, blocks),
        separate=Separate(),
    )
    by_name = {
        "gen_i": nets.photos,
        "gen_r": nets.albedos,
        "gen_s": nets.shadings,
        "fea_s": nets.separate,
    }
    open_nets(by_name, state, runtime.device)
    return Usi3dDecomposer(nets, options)


def _sizes(weights: Mapping[str, Tensor]) -> tuple[int, int]:
    """Channels of content, and residual blocks of a decoder: each has two convolutions."""
    convolutions = []
    for name, weight in weights.items():
        if name.startswith("painter.blocks.") and weight.ndim == 4:
            convolutions.append(weight)
    if not convolutions:
        return _WIDTH, _BLOCKS
    return len(convolutions[0]), len(convolutions) // 2
