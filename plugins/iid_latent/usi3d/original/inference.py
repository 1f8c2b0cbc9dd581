"""The published networks at work: photos in, albedo and shading out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from iid_latent.shared.consistent import FLOOR, consistent
from iid_latent.usi3d.original.fast import FastDecoder, FastEncoders
from iid_latent.usi3d.original.networks import skeleton
from intrinsic_cli.api import Decomposer, Frame, Runtime
from intrinsic_cli.kit.light.colour import srgb_to_linear
from intrinsic_cli.kit.networks.checkpoint import load_into, require_net
from intrinsic_cli.kit.networks.device import place

if TYPE_CHECKING:
    from intrinsic_cli.api.method import NetState

#: Which parts of which networks a decomposition needs: half of a checkpoint.
NEEDED = {"gen_i": ("enc_content", "enc_style"), "gen_r": ("dec", "mlp"), "gen_s": ("dec", "mlp")}
#: Short side of the photos each variant was made for.
SIZES = {"MIT": 220}
_SIZE = 300
#: Neither side may be smaller, for the style encoder; both are multiples of four.
_LEAST, _MULTIPLE = 16, 4
#: Mean of the styles drawn where no network separates the photo's, for reflectance; its negative
#: for shading.
_SHIFT, _SEED = 10.0, 10

Layers = tuple[Tensor, Tensor]


class Options(Protocol):
    """``exact``: make the layers multiply to the photo; ``size``: short side the networks see, 0 =
    the variant's."""

    @property
    def exact(self) -> bool: ...
    @property
    def size(self) -> int: ...


class OriginalDecomposer(Decomposer):
    """See :class:`~intrinsic_cli.api.Decomposer`.

    The networks were trained on images as 8-bit files hold them, so they see and draw sRGB codes;
    layers are handed out linear. What they draw *is* the layer, clipped to 0..1: the authors'
    script stretches every image to its own range instead, after which nothing is left of the
    scale, and product and photo differ."""

    def __init__(self, variant: str, state: NetState, options: Options, runtime: Runtime) -> None:
        upsample: Literal["divide", "resize"] = "divide" if options.exact else "resize"
        size = options.size or SIZES.get(variant, _SIZE)
        self.frame = Frame(size=size, multiple=_MULTIPLE, encoding="srgb", upsample=upsample)
        self._exact = options.exact
        self._networks = open_networks(state, runtime.device)

    @torch.inference_mode()
    def __call__(self, photos: Tensor) -> Mapping[str, Tensor]:
        drawn = draw(self._networks, photos)
        albedo, shading = (_linear(image) for image in drawn)
        if self._exact:
            albedo, shading = consistent(srgb_to_linear(photos), albedo, shading)
        return {"albedo": albedo, "shading": shading.clamp(min=FLOOR)}


def _linear(drawn: Tensor) -> Tensor:
    """What a network drew, as linear light."""
    return srgb_to_linear(drawn.float().clamp(0, 1))


def draw(networks: Callable[[Tensor], Layers], photos: Tensor) -> Layers:
    """``[B,3,H,W]`` of any size through ``networks``: layers of the same size, raw, in (-1,1)."""
    height, width = photos.shape[-2:]
    r, s = networks(_padded(photos))
    return r[..., :height, :width], s[..., :height, :width]


def _padded(photos: Tensor) -> Tensor:
    height, width = photos.shape[-2:]
    bottom, right = _missing(height), _missing(width)
    if not (bottom or right):
        return photos
    return F.pad(photos, (0, right, 0, bottom), mode="replicate")


def _missing(side: int) -> int:
    """Pixels to add to a side for the networks."""
    if side < _LEAST:
        return _LEAST - side
    return -side % _MULTIPLE


def open_networks(state: NetState, device: torch.device) -> Callable[[Tensor], Layers]:
    """What :func:`infer` does with the networks in ``state``, whatever their size, as fast as
    ``device`` can. WeightsError where one is missing, except ``fea_s``, which one of the paper's
    ablations does without."""
    names = list(NEEDED)
    if "fea_s" in state:
        names.append("fea_s")
    nets = {name: _part(name, state) for name in names}
    if device.type == "cpu":
        return FastNetworks(nets)
    for net in nets.values():
        place(net, device)
    return partial(_infer_channels_last, nets)


def _part(name: str, state: NetState) -> nn.Module:
    """A network without the parts nobody needs."""
    require_net(state, name)
    kept = NEEDED.get(name, ("mlp",))
    net = skeleton(name, state[name])
    for child, _ in list(net.named_children()):
        if child not in kept:
            delattr(net, child)
    weights = {}
    for key, x in state[name].items():
        child, _, _ = key.partition(".")
        if child in kept:
            weights[key] = x
    net.to_empty(device="cpu")
    load_into(net, {name: weights}, name)
    return net.eval()


def _infer_channels_last(nets: Mapping[str, nn.Module], x: Tensor) -> Layers:
    return infer(nets, x.contiguous(memory_format=torch.channels_last))


def infer(nets: Mapping[str, nn.Module], x: Tensor) -> Layers:
    """Raw reflectance and shading, ``[B,3,4·⌊H/4⌋,4·⌊W/4⌋]`` in (-1,1), of photos ``[B,3,H,W]`` in
    [0,1]."""
    domains: Mapping[str, Any] = nets  # modules hide what they can do
    content, style = domains["gen_i"].encode(x)
    z_r, z_s = separate(nets, style)
    r = domains["gen_r"].decode(content, z_r)
    s = domains["gen_s"].decode(content, z_s)
    return r, s


def separate(nets: Mapping[str, nn.Module], style: Tensor) -> Layers:
    """The layers' styles: derived from the photo's or, where the networks have no map for that,
    drawn, the same for every photo."""
    if "fea_s" in nets:
        r, s = nets["fea_s"](style)
        return r, s
    generator = torch.Generator().manual_seed(_SEED)
    noise = torch.randn(2, *style.shape[1:], generator=generator)
    r, s = torch.split(noise.to(style), 1)
    r = r.expand_as(style) + _SHIFT
    s = s.expand_as(style) - _SHIFT
    return r, s


class FastNetworks:
    """:func:`infer` for CPUs. Always in full precision, in which it beats half precision there."""

    def __init__(self, nets: Mapping[str, nn.Module]) -> None:
        domains: Mapping[str, Any] = nets  # modules hide what they hold
        photos = domains["gen_i"]
        self._encoders = FastEncoders(photos.enc_content, photos.enc_style)
        self._layers = [domains["gen_r"], domains["gen_s"]]
        self._decoders = [FastDecoder(net.dec) for net in self._layers]
        self._maps = {name: nets[name] for name in ("fea_s",) if name in nets}
        for net in self._layers:
            del net.dec  # its convolutions are kept in another order

    @torch.inference_mode()
    def __call__(self, x: Tensor) -> Layers:
        with torch.autocast("cpu", enabled=False):
            content, style = self._encoders(x.float())
            of_albedo, of_shading = separate(self._maps, style)
            albedo = self._decode(0, content, of_albedo)
            shading = self._decode(1, content, of_shading)
        return albedo, shading

    def _decode(self, layer: int, content: Tensor, style: Tensor) -> Tensor:
        adaptations = self._layers[layer].adaptations(style)
        return self._decoders[layer](content, adaptations)
