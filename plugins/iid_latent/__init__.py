"""Latent separation: photos, albedos and shadings that do not belong together teach a network to
take photos apart."""

from __future__ import annotations

from dataclasses import replace

from iid_latent.sils.settings import SilsConfig, SilsOptions
from iid_latent.usi3d.settings import VARIANTS, Usi3dConfig, Usi3dOptions
from intrinsic_cli.api import MethodSpec, Variant, hookimpl

_SMOKE = {"steps": 2, "batch_size": 1, "val_batches": 1, "pretrained": "no", "width": 8}

USI3D = Variant(
    layers=("albedo", "shading"),
    needs=frozenset({"photo", "albedo", "shading"}),
    options=Usi3dOptions,
    config=Usi3dConfig,
    smoke={**_SMOKE, "crop": 64, "blocks": 1, "dim": 4, "dis_dim": 4},
)
SILS = Variant(
    layers=("albedo", "shading"),
    needs=frozenset({"photo"}),
    options=SilsOptions,
    config=SilsConfig,
    smoke={**_SMOKE, "crop": 32, "dis_dim": 4},
    alias="intrinsic",
)


@hookimpl
def iid_methods() -> list[MethodSpec]:
    """The methods of the family."""
    return [
        MethodSpec(
            name="usi3d",
            summary=(
                "content and prior encoders, a separating map, AdaIN decoders; learned from "
                "unpaired collections"
            ),
            target="iid_latent.usi3d.method:Usi3d",
            variants=(USI3D, *(_published(name) for name in VARIANTS)),
            paper="Liu et al., CVPR 2020, arXiv 1911.09930",
        ),
        MethodSpec(
            name="sils",
            summary=(
                "a latent space for each layer: albedo and shading, or what glass lets through "
                "and what it mirrors"
            ),
            target="iid_latent.sils.method:Sils",
            variants=(
                SILS,
                _of_sums("reflection", "transmission", "reflection"),
                _of_sums("three", "transmission", "reflection", "flare"),
            ),
            paper="Liu and Lu, AAAI 2020, arXiv 1906.00734",
        ),
    ]


def _published(name: str) -> Variant:
    return replace(USI3D, name=name, summary=f"the published network, configuration {name}")


def _of_sums(name: str, *layers: str) -> Variant:
    return replace(SILS, name=name, layers=layers, alias="", summary="layers that add up")
