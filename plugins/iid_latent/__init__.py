"""Latent separation: photos, albedos and shadings that do not belong together teach a network to take photos apart."""

from __future__ import annotations

from iid_latent.sils.settings import SilsConfig, SilsOptions
from iid_latent.usi3d.settings import VARIANTS, Usi3dConfig, Usi3dOptions
from intrinsic_cli.api import MethodSpec, hookimpl


@hookimpl
def iid_methods() -> list[MethodSpec]:
    """The methods of the family."""
    return [
        MethodSpec(
            name="usi3d",
            summary="content and prior encoders, a separating map, AdaIN decoders; learned from unpaired collections",
            target="iid_latent.usi3d.method:Usi3d",
            layers=("albedo", "shading"),
            variants=VARIANTS,
            needs=frozenset({"photo", "albedo", "shading"}),
            options=Usi3dOptions,
            config=Usi3dConfig,
            smoke={
                **{"steps": 2, "batch_size": 1, "crop": 64, "val_batches": 1, "pretrained": "no"},
                **{"width": 8, "blocks": 1, "dim": 4, "dis_dim": 4},
            },
            paper="Liu et al., CVPR 2020, arXiv 1911.09930",
        ),
        MethodSpec(
            name="sils",
            summary="a latent space for each layer: albedo and shading, or what glass lets through and what it mirrors",
            target="iid_latent.sils.method:Sils",
            layers=("albedo", "shading"),
            variants=("reflection", "three"),
            variant_layers={
                "reflection": ("transmission", "reflection"),
                "three": ("transmission", "reflection", "flare"),
            },
            default="intrinsic",
            needs=frozenset({"photo"}),
            options=SilsOptions,
            config=SilsConfig,
            smoke={
                **{"steps": 2, "batch_size": 1, "crop": 32, "val_batches": 1, "pretrained": "no"},
                **{"width": 8, "dis_dim": 4},
            },
            paper="Liu and Lu, AAAI 2020, arXiv 1906.00734",
        ),
    ]
