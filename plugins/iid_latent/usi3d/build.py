"""The networks of the default variant."""

from __future__ import annotations

from torch import nn

from iid_latent.shared.discriminator import Discriminator
from iid_latent.usi3d.networks import LayerDomain, Merge, PhotoDomain, Separate
from iid_latent.usi3d.settings import Usi3dConfig

_LAYERS, _SCALES = 3, 3  # of discriminators that look at images of half size
#: What decomposing needs; the rest only helps training.
INFERENCE = frozenset({"gen_i", "gen_r", "gen_s", "fea_s"})


def build(config: Usi3dConfig, pretrained: bool = False) -> dict[str, nn.Module]:
    """Fresh networks: ``gen_*`` of photos, albedos and shadings, ``fea_s``, ``fea_m``, ``dis_r``,
    ``dis_s``."""
    return {
        "gen_i": PhotoDomain(config.width, config.blocks, pretrained),
        "gen_r": LayerDomain(config.width, config.blocks),
        "gen_s": LayerDomain(config.width, config.blocks),
        "fea_s": Separate(),
        "fea_m": Merge(),
        "dis_r": Discriminator(config.dis_dim, _LAYERS, _SCALES),
        "dis_s": Discriminator(config.dis_dim, _LAYERS, _SCALES),
    }
