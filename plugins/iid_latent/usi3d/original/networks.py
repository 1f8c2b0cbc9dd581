"""The networks of USI3D (arXiv 1911.09930, CVPR 2020), key for key as its published code stores
them.

Three domains (photos, reflectances, shadings) have an auto-encoder each, which splits a picture
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
DOMAINS, MAPS, DISCRIMINATORS = ("gen_i", "gen_r", "gen_s"), ("fea_s", "fea_m"), ("dis_r", "dis_s")


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
    mixed = variant == "MIX_IIW"
    style, layers = (32, 5) if mixed else (8, 3)
    nets: dict[str, nn.Module] = {name: Domain(dim, style, 4 * dim) for name in DOMAINS}
    nets["fea_s"] = Separate(style, 4 * dim, layers)
    nets["fea_m"] = Merge(style, 4 * dim, layers)
    nets.update({name: Discriminator(dim) for name in DISCRIMINATORS})
    for name, net in nets.items():
        initialise(net, name in DISCRIMINATORS)
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
    maker = _domain if name in DOMAINS else _discriminator if name in DISCRIMINATORS else _map
    try:
        with torch.device("meta"):
            return maker(name, part)
    except (KeyError, IndexError, ValueError) as error:
        raise WeightsError(
            f"the network {name!r} misses the tensors that tell its size", str(error)
        ) from error


def _domain(name: str, part: Mapping[str, Tensor]) -> nn.Module:
    style, dim = (
        part["enc_style.model.6.weight"].shape[0],
        part["enc_content.model.0.conv.weight"].shape[0],
    )
    blocks = _count(part, "enc_content.model.3.model.", ".model.0.conv.weight")
    return Domain(dim, style, part["mlp.model.0.fc.weight"].shape[0], blocks)


def _map(name: str, part: Mapping[str, Tensor]) -> nn.Module:
    hidden, inputs = part["mlp.model.0.fc.weight"].shape
    layers = _count(part, "mlp.model.", ".fc.weight")
    return (
        Separate(inputs, hidden, layers) if name == "fea_s" else Merge(inputs // 2, hidden, layers)
    )


def _discriminator(name: str, part: Mapping[str, Tensor]) -> nn.Module:
    layers, scales = (
        _count(part, "cnns.0.", ".conv.weight"),
        _count(part, "cnns.", ".0.conv.weight"),
    )
    return Discriminator(part["cnns.0.0.conv.weight"].shape[0], layers, scales)


def _count(part: Mapping[str, Tensor], start: str, end: str) -> int:
    """How many keys lie between ``start`` and ``end`` with a number there."""
    return sum(
        key.startswith(start) and key.endswith(end) and key[len(start) : -len(end)].isdigit()
        for key in part
    )
