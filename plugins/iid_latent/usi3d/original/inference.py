"""The published networks at work: photos in, albedo and shading out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from iid_latent.shared.consistent import FLOOR, consistent
from iid_latent.usi3d.original.domain import Domain
from iid_latent.usi3d.original.fast import FastDecoder, FastEncoders
from iid_latent.usi3d.original.networks import skeleton
from intrinsic_cli.api import Decomposer, Frame, Runtime
from intrinsic_cli.kit.light.colour import srgb_to_linear
from intrinsic_cli.kit.networks.checkpoint import load_into
from intrinsic_cli.kit.networks.device import place

if TYPE_CHECKING:
    from intrinsic_cli.api.method import NetState

#: Which parts of which networks a decomposition needs: half of a checkpoint.
NEEDED = {"gen_i": ("enc_content", "enc_style"), "gen_r": ("dec", "mlp"), "gen_s": ("dec", "mlp")}
#: Short side of the photos each variant was made for.
SIZES = {"MIT": 220}
_SIZE = 300
#: Neither side may be smaller, for the style encoder.
_LEAST = 16
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

    The networks were trained on pictures as 8-bit files hold them, so they see and draw sRGB codes;
    layers are handed out linear. What they draw *is* the layer, clipped to 0..1: the authors'
    script stretches every picture to its own range instead, after which nothing is left of the
    scale, and product and photo differ."""

    def __init__(self, variant: str, state: NetState, options: Options, runtime: Runtime) -> None:
        size = options.size or SIZES.get(variant, _SIZE)
        self.frame = Frame(
            size=size, multiple=4, encoding="srgb", upsample="divide" if options.exact else "resize"
        )
        self._exact, self._draw = options.exact, open_networks(state, runtime.device)

    @torch.inference_mode()
    def __call__(self, photos: Tensor) -> Mapping[str, Tensor]:
        albedo, shading = (srgb_to_linear(x.float().clamp(0, 1)) for x in draw(self._draw, photos))
        if self._exact:
            albedo, shading = consistent(srgb_to_linear(photos), albedo, shading)
        return {"albedo": albedo, "shading": shading.clamp(min=FLOOR)}


def draw(networks: Callable[[Tensor], Layers], photos: Tensor) -> Layers:
    """``[B,3,H,W]`` of any size through ``networks``: layers of the same size, raw, in (-1,1)."""
    height, width = photos.shape[-2:]
    bottom, right = (
        max(side, _LEAST) + -side % 4 * (side >= _LEAST) - side for side in (height, width)
    )
    if bottom or right:
        photos = F.pad(photos, (0, right, 0, bottom), mode="replicate")
    r, s = networks(photos)
    return r[..., :height, :width], s[..., :height, :width]


def open_networks(state: NetState, device: torch.device) -> Callable[[Tensor], Layers]:
    """What :func:`infer` does with the networks in ``state``, whatever their size, as fast as
    ``device`` can. WeightsError where one is missing, except ``fea_s``, which one of the paper's
    ablations does without."""
    nets: dict[str, nn.Module] = {name: _part(name, state) for name in NEEDED}
    if "fea_s" in state:
        nets["fea_s"] = _part("fea_s", state)
    if device.type == "cpu":
        return FastNetworks(nets)
    nets = {name: place(net, device) for name, net in nets.items()}
    return lambda x: infer(nets, x.contiguous(memory_format=torch.channels_last))


def _part(name: str, state: NetState) -> nn.Module:
    """A network without the parts nobody needs."""
    kept = NEEDED.get(name, ("mlp",))
    part = {key: x for key, x in state.get(name, {}).items() if key.split(".")[0] in kept}
    if name not in state or not part:
        load_into(nn.Module(), {other: x for other, x in state.items() if other != name}, name)
    net = skeleton(name, state[name])
    for child in [child for child, _ in net.named_children() if child not in kept]:
        delattr(net, child)
    net.to_empty(device="cpu")
    load_into(net, {name: part}, name)
    return net.eval()


def infer(nets: Mapping[str, nn.Module], x: Tensor) -> Layers:
    """Raw reflectance and shading, ``[B,3,4·⌊H/4⌋,4·⌊W/4⌋]`` in (-1,1), of photos ``[B,3,H,W]`` in
    [0,1]."""
    i, r, s = (nets[name] for name in NEEDED)
    content, style = i.encode(x)  # type: ignore[operator]  # nn.Module hides methods
    z_r, z_s = separate(nets, style)
    return r.decode(content, z_r), s.decode(content, z_s)  # type: ignore[operator]  # as above


def separate(nets: Mapping[str, nn.Module], style: Tensor) -> Layers:
    """The layers' styles: derived from the photo's or, where the networks have no map for that,
    drawn, the same for every photo."""
    if "fea_s" in nets:
        r, s = nets["fea_s"](style)
        return r, s
    noise = torch.randn(2, *style.shape[1:], generator=torch.Generator().manual_seed(_SEED)).to(
        style
    )
    return noise[:1].expand_as(style) + _SHIFT, noise[1:].expand_as(style) - _SHIFT


class FastNetworks:
    """:func:`infer` for CPUs. Always in full precision, in which it beats half precision there."""

    def __init__(self, nets: Mapping[str, nn.Module]) -> None:
        photos, *self._layers = (net for name, net in nets.items() if isinstance(net, Domain))
        self._encoders = FastEncoders(photos.enc_content, photos.enc_style)
        self._decoders = [FastDecoder(net.dec) for net in self._layers]
        self._maps = {name: net for name, net in nets.items() if name == "fea_s"}
        for net in self._layers:
            del net.dec  # its convolutions are kept in another order

    @torch.inference_mode()
    def __call__(self, x: Tensor) -> Layers:
        with torch.autocast("cpu", enabled=False):
            content, style = self._encoders(x.float())
            styles = zip(self._layers, separate(self._maps, style), strict=True)
            adaptations = [net.adaptations(z) for net, z in styles]
            r, s = (
                decode(content, a) for decode, a in zip(self._decoders, adaptations, strict=True)
            )
        return r, s
