"""The default network at work: photos in, albedo and shading out."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from iid_flow.light import from_log, to_log
from iid_flow.settings import FlowOptions
from iid_flow.solver import euler
from iid_flow.unet import Velocity
from iid_flow.vae import LATENTS, ShadingVAE
from intrinsic_cli.api import Decomposer, Frame, Runtime
from intrinsic_cli.kit.light.exposure import encode_photo, exposure
from intrinsic_cli.kit.light.resize import resize
from intrinsic_cli.kit.light.scale import enlarged, reflectance_below_one
from intrinsic_cli.kit.networks.device import place
from intrinsic_cli.kit.networks.efficientnet import Encoder

_MULTIPLE = 32  # the encoder halves its map five times
#: Layers are handed out at a third of the view: latents know no finer detail, and the lift to full
#: size takes edges from the photo better than the decoder draws them (LMSE on MIT .0225; whole
#: .0251, half .0230, quarter .0225).
_DETAIL = 3


def build() -> dict[str, nn.Module]:
    """The three networks of the default variant, untrained."""
    return {"vae": ShadingVAE(), "encoder": Encoder(), "unet": Velocity()}


def predict(
    nets: Mapping[str, nn.Module], photo: Tensor, noise: Tensor | None, steps: int
) -> Tensor:
    """[B,3,H,W] linear, sides multiples of 32 → log shading [B,3,H,W] relative to
    ``exposure(photo)``.

    ``noise`` [B,8,H/4,W/4] starts the flow; None starts at zero, which gives the mean answer.
    """
    seen = encode_photo(photo, exposure(photo))
    maps = nets["encoder"](seen)
    b, _, h, w = maps[1].shape
    start = photo.new_zeros(b, LATENTS, h, w) if noise is None else noise
    latents = euler(lambda x, t: nets["unet"](x, t, seen, maps), start, steps)
    code: Tensor = nets["vae"].decode(latents)  # type: ignore[operator]  # nn.Module hides methods
    return code


class FlowDecomposer(Decomposer):
    """See :class:`~intrinsic_cli.api.Decomposer`. ``mode=vae`` needs no photo understanding: it
    encodes the photo itself as if it were shading and decodes it, which shows what the auto-encoder
    keeps."""

    def __init__(
        self, nets: Mapping[str, nn.Module], options: FlowOptions, runtime: Runtime
    ) -> None:
        self._nets = {name: place(net, runtime.device) for name, net in nets.items()}
        self._options, self._runtime = options, runtime
        self.frame = Frame(size=options.size, multiple=_MULTIPLE)

    def __call__(self, photos: Tensor) -> Mapping[str, Tensor]:
        view = enlarged(photos, self._options.size, _MULTIPLE)
        level = exposure(view)
        shading = from_log(self._code(view, level).float(), level)
        size = (view.shape[-2] // _DETAIL, view.shape[-1] // _DETAIL)
        shading = resize(shading, size)
        albedo, shading = reflectance_below_one(resize(view, size) / shading, shading)
        return {"albedo": albedo, "shading": shading}

    def _code(self, photos: Tensor, level: Tensor) -> Tensor:
        if self._options.mode == "vae":
            vae = self._nets["vae"]
            code: Tensor = vae.decode(vae.encode(to_log(photos, level)))  # type: ignore[operator]
            return code
        steps = self._options.steps or 1
        noise = self._noise(photos)
        code = predict(self._nets, photos, noise, steps)
        if self._options.mirror:
            mirrored = predict(self._nets, photos.flip(3), noise, steps)
            code = (code + mirrored.flip(3)) / 2
        return code

    def _noise(self, photos: Tensor) -> Tensor | None:
        """The same seeded noise for every photo of one size, whatever batch it travels in."""
        if not self._options.temperature:
            return None
        b, _, h, w = photos.shape
        generator = torch.Generator().manual_seed(self._runtime.seed)
        one = (
            torch.randn(1, LATENTS, h // 4, w // 4, generator=generator) * self._options.temperature
        )
        return one.to(photos.device).expand(b, -1, -1, -1)
