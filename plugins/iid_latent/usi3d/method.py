"""The method ``usi3d``: picks the networks of a variant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from iid_latent.usi3d import original
from iid_latent.usi3d.decomposer import Usi3dDecomposer
from iid_latent.usi3d.networks import LayerDomain, PhotoDomain, Separate
from iid_latent.usi3d.settings import Usi3dConfig, Usi3dOptions
from iid_latent.usi3d.trainer import Usi3dTrainer
from intrinsic_cli.api import Decomposer, Method, Runtime, Source, Trainer
from intrinsic_cli.kit.networks.checkpoint import load_into

if TYPE_CHECKING:
    from intrinsic_cli.api.method import NetState


class Usi3d(Method[Usi3dOptions, Usi3dConfig]):
    """Variants: the default one, and the published networks under the names of their
    configurations."""

    def decomposer(self, state: NetState, options: Usi3dOptions, runtime: Runtime) -> Decomposer:
        if runtime.variant:
            return original.OriginalDecomposer(runtime.variant, state, options, runtime)
        # Sizes come from the weights, so that other widths than the shipped one load as well.
        convs = [
            x
            for k, x in state.get("gen_r", {}).items()
            if k.startswith("painter.blocks.") and x.ndim == 4
        ]
        width, blocks = (len(convs[0]), len(convs) // 2) if convs else (64, 1)
        photos = PhotoDomain(width, blocks)
        albedos, shadings = LayerDomain(width, blocks), LayerDomain(width, blocks)
        separate = Separate()
        for name, net in (
            ("gen_i", photos),
            ("gen_r", albedos),
            ("gen_s", shadings),
            ("fea_s", separate),
        ):
            load_into(net, state, name)
        return Usi3dDecomposer(photos, albedos, shadings, separate, options, runtime)

    def trainer(self, stage: str, config: Usi3dConfig, source: Source, runtime: Runtime) -> Trainer:
        return Usi3dTrainer(config, source, runtime)

    def convert(self, state: Mapping[str, Any]) -> tuple[str, NetState] | None:
        return original.convert(state)
