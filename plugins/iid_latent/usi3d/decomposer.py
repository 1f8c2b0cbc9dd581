"""The default network of ``usi3d`` at work: photos in, albedo and shading out."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from iid_latent.shared.consistent import consistent
from iid_latent.shared.content import MULTIPLE
from iid_latent.shared.pictures import from_log, to_log
from iid_latent.usi3d.networks import LayerDomain, PhotoDomain, Separate
from iid_latent.usi3d.settings import Usi3dOptions
from intrinsic_cli.api import Decomposer, Frame, Runtime
from intrinsic_cli.kit.light.exposure import exposure
from intrinsic_cli.kit.light.resize import enlarged, resize
from intrinsic_cli.kit.light.scale import reflectance_below_one
from intrinsic_cli.kit.networks.device import place

_SIZE = 256


class Usi3dDecomposer(Decomposer):
    """See :class:`~intrinsic_cli.api.Decomposer`. The networks see the photo at a short side of
    ``size``, draw both layers at half of that, and the house lifts them to full size."""

    def __init__(
        self, photos: PhotoDomain, albedos: LayerDomain, shadings: LayerDomain, separate: Separate,
        options: Usi3dOptions, runtime: Runtime,
    ) -> None:  # fmt: skip
        for net in (photos, albedos, shadings, separate):
            place(net.eval().requires_grad_(False), runtime.device)
        self._photos, self._albedos, self._shadings, self._map = photos, albedos, shadings, separate
        self._options, self._size = options, options.size or _SIZE
        self.frame = Frame(
            size=self._size, multiple=MULTIPLE, upsample="divide" if options.exact else "resize"
        )

    def __call__(self, photos: Tensor) -> Mapping[str, Tensor]:
        view = enlarged(photos, self._size, MULTIPLE)
        level = exposure(view)
        albedo, shading = (
            from_log(picture.float()) for picture in self._answer(to_log(view, level))
        )
        shading = shading * level
        if self._options.exact:
            albedo, shading = consistent(
                resize(view, (albedo.shape[-2], albedo.shape[-1])), albedo, shading
            )
        albedo, shading = reflectance_below_one(albedo, shading)
        return {"albedo": albedo, "shading": shading}

    def _answer(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        r, s = self._separate(picture)
        if self._options.mirror:
            mirrored = [x.flip(3) for x in self._separate(picture.flip(3))]
            r, s = (r + mirrored[0]) / 2, (s + mirrored[1]) / 2
        return r, s

    def _separate(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        content, prior = self._photos.encode(picture)
        z_r, z_s = self._map(prior)
        return self._albedos.decode(content, z_r), self._shadings.decode(content, z_s)
