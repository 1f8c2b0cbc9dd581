"""The default network at work: photos in, albedo and shading out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from iid_flow.light import from_log, to_log
from iid_flow.settings import FlowOptions
from iid_flow.solver import euler
from iid_flow.unet import VelocityNet
from iid_flow.vae import FACTOR, LATENTS, ShadingVAE
from iid_flow.white_point import white_point
from intrinsic_cli.api import Decomposer, Frame, Runtime
from intrinsic_cli.kit.light.exposure import encode_photo
from intrinsic_cli.kit.light.recolour import recolour
from intrinsic_cli.kit.light.resize import enlarged, resize
from intrinsic_cli.kit.light.scale import reflectance_below_one
from intrinsic_cli.kit.networks.efficientnet import Encoder

_MULTIPLE = 32  # the encoder halves its map five times
#: Layers are handed out at a third of what the network sees: latents know no finer detail, and
#: upsampling takes edges from the photo better than the decoder draws them (LMSE on MIT .0225;
#: whole .0251, a half .0230, a quarter .0225).
DETAIL = 3


def build() -> dict[str, nn.Module]:
    """The three networks of the default variant, untrained."""
    return {"vae": ShadingVAE(), "encoder": Encoder(), "unet": VelocityNet()}


class Seen(NamedTuple):
    """A photo as the networks see it: ``encoded`` [B,3,H,W] for the encoder and its ``maps``; and
    its log shading [B,3,H,W] relative to its white point."""

    encoded: Tensor
    maps: list[Tensor]
    log_shading: Tensor


def predict(
    nets: Mapping[str, nn.Module],
    photo: Tensor,
    noise: Tensor | None,
    steps: int,
    level: Tensor | None = None,
) -> Tensor:
    """[B,3,H,W] linear, sides multiples of 32 → log shading [B,3,H,W] relative to
    ``white_point(photo)``.

    ``noise`` [B,16,H/4,W/4] starts the flow; None starts at zero, which gives the mean answer.
    ``level`` is the white point, where it is known already.
    """
    return look_at(nets, photo, noise, steps, level).log_shading


def look_at(
    nets: Mapping[str, nn.Module],
    photo: Tensor,
    noise: Tensor | None,
    steps: int,
    level: Tensor | None = None,
) -> Seen:
    """As :func:`predict`, with what the answer was made of."""
    if level is None:
        level = white_point(photo)
    encoded = encode_photo(photo, level)
    maps = nets["encoder"](encoded)
    if noise is None:
        b, _, h, w = maps[1].shape
        noise = photo.new_zeros(b, LATENTS, h, w)
    latents = euler(lambda x, t: nets["unet"](x, t, encoded, maps), noise, steps)
    vae = nets["vae"]
    log_shading: Tensor = vae.decode(latents)  # type: ignore[operator]  # nn.Module hides methods
    return Seen(encoded, maps, log_shading)


class FlowDecomposer(Decomposer):
    """See :class:`~intrinsic_cli.api.Decomposer`. ``mode=vae`` needs no photo understanding: it
    encodes the photo itself as if it were shading and decodes it, which shows what the auto-encoder
    keeps."""

    def __init__(
        self, nets: Mapping[str, nn.Module], options: FlowOptions, runtime: Runtime
    ) -> None:
        self._nets = nets
        self._options = options
        self._runtime = runtime
        self.frame = Frame(size=options.size, multiple=_MULTIPLE)

    def __call__(self, photos: Tensor) -> Mapping[str, Tensor]:
        photos = enlarged(photos, self._options.size, _MULTIPLE)
        level = white_point(photos)
        log_shading = self._log_shading(photos, level).float()
        height, width = photos.shape[-2:]
        size = (height // DETAIL, width // DETAIL)
        small = resize(photos, size)
        shading = recolour(resize(from_log(log_shading, level), size), small)
        albedo = small / shading
        albedo, shading = reflectance_below_one(albedo, shading)
        return {"albedo": albedo, "shading": shading}

    def _log_shading(self, photos: Tensor, level: Tensor) -> Tensor:
        if self._options.mode == "vae":
            return self._rebuilt(to_log(photos, level))
        steps = self._options.steps or 1
        noise = self._noise(photos)
        answer = predict(self._nets, photos, noise, steps, level)
        if self._options.mirror:
            mirrored = predict(self._nets, photos.flip(3), noise, steps, level)
            answer = (answer + mirrored.flip(3)) / 2
        return answer

    def _rebuilt(self, log_shading: Tensor) -> Tensor:
        vae = self._nets["vae"]
        latents = vae.encode(log_shading)  # type: ignore[operator]  # nn.Module hides methods
        rebuilt: Tensor = vae.decode(latents)  # type: ignore[operator]  # as above
        return rebuilt

    def _noise(self, photos: Tensor) -> Tensor | None:
        """The same seeded noise for every photo of one size, whatever batch it travels in."""
        if not self._options.temperature:
            return None
        b, _, h, w = photos.shape
        generator = torch.Generator().manual_seed(self._runtime.seed)
        noise = torch.randn(1, LATENTS, h // FACTOR, w // FACTOR, generator=generator)
        noise = noise * self._options.temperature
        return noise.to(photos.device).expand(b, -1, -1, -1)
