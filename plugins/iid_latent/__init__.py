"""Latent separation: photos, albedos and shadings that do not belong together teach a network to
take photos apart."""

from __future__ import annotations

from iid_latent.sils.settings import ReflectionConfig, SilsConfig, SilsOptions
from iid_latent.usi3d.settings import (
    VARIANTS,
    OriginalConfig,
    OriginalOptions,
    Usi3dConfig,
    Usi3dOptions,
)
from intrinsic_cli.api import MethodSpec, Variant, hookimpl

FACTORS = ("albedo", "shading")
ONE_STEP = {"steps": 2, "batch_size": 1, "val_batches": 1}
SMALL = {**ONE_STEP, "pretrained": "no", "width": 8, "dis_dim": 4}

USI3D = Variant(
    layers=FACTORS,
    needs=frozenset({"photo", *FACTORS}),
    options=Usi3dOptions,
    config=Usi3dConfig,
    smoke={**SMALL, "crop": 64, "blocks": 1},
)
SILS = Variant(
    layers=FACTORS,
    needs=frozenset({"photo"}),
    options=SilsOptions,
    config=SilsConfig,
    smoke={**SMALL, "crop": 32},
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
                _of_sums("reflection", ReflectionConfig, "transmission", "reflection"),
                _of_sums("three", SilsConfig, "transmission", "reflection", "flare"),
            ),
            paper="Liu and Lu, AAAI 2020, arXiv 1906.00734",
        ),
    ]


def _published(name: str) -> Variant:
    return Variant(
        name=name,
        layers=FACTORS,
        needs=frozenset({"photo", *FACTORS}),
        options=OriginalOptions,
        config=OriginalConfig,
        smoke={**ONE_STEP, "crop": 64, "dim": 4},
        summary=f"the published network, configuration {name}",
    )


def _of_sums(name: str, config: type[SilsConfig], *layers: str) -> Variant:
    return Variant(
        name=name,
        layers=layers,
        needs=frozenset({"photo"}),
        options=SilsOptions,
        config=config,
        smoke={**SMALL, "crop": 32},
        summary="layers that add up",
    )
