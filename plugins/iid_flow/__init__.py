"""Latent flow matching for intrinsic images: a shading auto-encoder and a velocity network on its
latents."""

from __future__ import annotations

from iid_flow.settings import (
    FlowConfig,
    FlowOptions,
    PublishedConfig,
    PublishedOptions,
    ResidualFlowConfig,
)
from intrinsic_cli.api import MethodSpec, Variant, hookimpl

LAYERS = ("albedo", "shading")
NEEDS = frozenset({"photo", "albedo", "shading", "mask"})
STAGES = ("vae", "flow")
#: An output that an option asks for.
ASKED = {"mask": ("mask",)}
SMALL = {"steps": 2, "batch_size": 1, "crop": 32, "val_batches": 1}

DEFAULT = Variant(
    layers=LAYERS,
    needs=NEEDS,
    options=FlowOptions,
    config=FlowConfig,
    stages=STAGES,
    smoke={**SMALL, "pretrained": "no"},
    asked_by=ASKED,
)

RESIDUAL = Variant(
    name="residual",
    summary="highlights apart: photo = albedo · shading + residual",
    layers=(*LAYERS, "residual"),
    needs=NEEDS | {"residual"},
    options=FlowOptions,
    config=ResidualFlowConfig,
    stages=STAGES,
    smoke={**SMALL, "pretrained": "no"},
    asked_by=ASKED,
    adds=("residual",),
)


@hookimpl
def iid_methods() -> list[MethodSpec]:
    """One method: the default network, with and without highlights apart, and the two published
    ones."""
    return [
        MethodSpec(
            name="flow",
            summary=(
                "VAE of log shading + latent flow matching, conditioned on a pretrained image "
                "encoder"
            ),
            target="iid_flow.method:Flow",
            variants=(
                DEFAULT,
                RESIDUAL,
                _published("albedo16", "the network of image_to_albedo_shading"),
                _published("shading8", "the network of FlowIID"),
            ),
            paper="FlowIID, arXiv 2601.12329 (variant shading8); its predecessor (albedo16)",
        )
    ]


def _published(name: str, summary: str) -> Variant:
    return Variant(
        name=name,
        summary=summary,
        layers=LAYERS,
        needs=NEEDS,
        options=PublishedOptions,
        config=PublishedConfig,
        stages=STAGES,
        smoke={**SMALL, "gan_start": 0},
    )
