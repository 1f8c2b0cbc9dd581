"""The networks of USI3D (arXiv 1911.09930, CVPR 2020), key for key as its published code stores
them.

Three domains (photos, reflectances, shadings) have an auto-encoder each, which splits an image
into *content*, a map a quarter of its size, and *style*, a short vector. A photo's content is
decoded by the other two domains' decoders, with styles that a small network derives from its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from iid_latent.shared.discriminator import Discriminator
from iid_latent.usi3d.original.domain import Domain
from iid_latent.usi3d.original.layers import MLP
from intrinsic_cli.api import WeightsError
from intrinsic_cli.kit.networks.checkpoint import load_into

if TYPE_CHECKING:
    from intrinsic_cli.api.method import NetState

__all__ = [
    "DISCRIMINATORS",
    "DOMAINS",
    "MAPS",
    "VARIANTS",
    "Domain",
    "Merge",
    "Separate",
    "build",
    "build_for",
    "skeleton",
]

VARIANTS = ("MPI", "MIT", "MIX_IIW", "ShapeNet")
#: Net names: the three domains', the styles' maps and the discriminators.
DOMAINS = ("gen_i", "gen_r", "gen_s")
MAPS = ("fea_s", "fea_m")
DISCRIMINATORS = ("dis_r", "dis_s")
#: Length of a style, and linear layers of its maps.
_STYLE = (8, 3)
_STYLES = {"MIX_IIW": (32, 5)}


class Separate(nn.Module):
    """``fea_s``: a photo's style ``[B,d,1,1]`` → the styles of its reflectance and of its shading,
    each as long."""

    def __init__(self, style: int = 8, hidden: int = 256, layers: int = 3) -> None:
        super().__init__()
        self.mlp = MLP(style, 2 * style, hidden, layers)

    def forward(self, style: Tensor) -> tuple[Tensor, Tensor]:
        reflectance, shading = self.mlp(style)[..., None, None].chunk(2, dim=1)
        return reflectance, shading


class Merge(nn.Module):
    """``fea_m``, the way back: styles of reflectance and shading → the photo's, all
    ``[B,d,1,1]``."""

    def __init__(self, style: int = 8, hidden: int = 256, layers: int = 3) -> None:
        super().__init__()
        self.mlp = MLP(2 * style, style, hidden, layers)

    def forward(self, reflectance: Tensor, shading: Tensor) -> Tensor:
        style: Tensor = self.mlp(torch.cat([reflectance, shading], dim=1))[..., None, None]
        return style


def build(variant: str, dim: int = 64) -> dict[str, nn.Module]:
    """All networks of ``variant`` with the starting weights of the paper's code."""
    style, layers = _STYLES.get(variant, _STYLE)
    nets: dict[str, nn.Module] = {}
    for name in DOMAINS:
        nets[name] = Domain(dim, style, 4 * dim)
    nets["fea_s"] = Separate(style, 4 * dim, layers)
    nets["fea_m"] = Merge(style, 4 * dim, layers)
    for name in DISCRIMINATORS:
        nets[name] = Discriminator(dim)
    for name, net in nets.items():
        initialise(net, discriminator=name in DISCRIMINATORS)
    return nets


def initialise(net: nn.Module, discriminator: bool) -> None:
    """Biases 0; weights He-normal by fan-in, or N(0, 0.02) for a discriminator."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            if discriminator:
                nn.init.normal_(module.weight, 0.0, 0.02)
            else:
                nn.init.kaiming_normal_(module.weight)
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]  # every layer here has one


def build_for(state: NetState) -> dict[str, nn.Module]:
    """The networks whose weights ``state`` holds, of whatever size their tensors have, filled with
    them. WeightsError where a network's tensors do not fit together."""
    nets = {}
    for name in (*DOMAINS, *MAPS, *DISCRIMINATORS):
        if name in state:
            nets[name] = skeleton(name, state[name]).to_empty(device="cpu")
            load_into(nets[name], state, name)
    return nets


def skeleton(name: str, part: Mapping[str, Tensor]) -> nn.Module:
    """The network ``name`` with the shapes that the tensors of ``part`` have, but without numbers
    (on the meta device). WeightsError where those tensors are missing that tell the sizes."""
    make = _map
    if name in DOMAINS:
        make = _domain
    elif name in DISCRIMINATORS:
        make = _discriminator
    try:
        with torch.device("meta"):
            return make(name, part)
    except (KeyError, IndexError, ValueError) as error:
        message = f"the network {name!r} misses the tensors that tell its size"
        raise WeightsError(message, str(error)) from error


def _domain(name: str, part: Mapping[str, Tensor]) -> nn.Module:
    style = len(part["enc_style.model.6.weight"])
    dim = len(part["enc_content.model.0.conv.weight"])
    hidden = len(part["mlp.model.0.fc.weight"])
    blocks = _count(part, "enc_content.model.3.model.", ".model.0.conv.weight")
    return Domain(dim, style, hidden, blocks)


def _map(name: str, part: Mapping[str, Tensor]) -> nn.Module:
    hidden, inputs = part["mlp.model.0.fc.weight"].shape
    layers = _count(part, "mlp.model.", ".fc.weight")
    if name == "fea_s":
        return Separate(inputs, hidden, layers)
    return Merge(inputs // 2, hidden, layers)


def _discriminator(name: str, part: Mapping[str, Tensor]) -> nn.Module:
    dim = len(part["cnns.0.0.conv.weight"])
    layers = _count(part, "cnns.0.", ".conv.weight")
    scales = _count(part, "cnns.", ".0.conv.weight")
    return Discriminator(dim, layers, scales)


def _count(part: Mapping[str, Tensor], start: str, end: str) -> int:
    """How many keys lie between ``start`` and ``end`` with a number there."""
    count = 0
    for key in part:
        if key.startswith(start) and key.endswith(end):
            number = key[len(start) : -len(end)]
            count += number.isdigit()
    return count
