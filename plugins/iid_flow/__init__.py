"""Latent flow matching for intrinsic images: a shading auto-encoder and a velocity network on its
latents."""

from __future__ import annotations

from dataclasses import replace

from iid_flow.settings import FlowConfig, FlowOptions
from intrinsic_cli.api import MethodSpec, Variant, hookimpl

DEFAULT = Variant(
    layers=("albedo", "shading"),
    needs=frozenset({"photo", "albedo", "shading", "mask"}),
    options=FlowOptions,
    config=FlowConfig,
    stages=("vae", "flow"),
    smoke={
        "steps": 2,
        "batch_size": 1,
        "crop": 32,
        "val_batches": 1,
        "pretrained": "no",
        "gan_start": 0,
    },
)


@hookimpl
def iid_methods() -> list[MethodSpec]:
    """One method: the default network and the two published ones."""
    published = [
        replace(DEFAULT, name="albedo16", summary="the network of image_to_albedo_shading"),
        replace(DEFAULT, name="shading8", summary="the network of FlowIID"),
    ]
    return [
        MethodSpec(
            name="flow",
            summary=(
                "VAE of log shading + latent flow matching, conditioned on a pretrained image "
                "encoder"
            ),
            target="iid_flow.method:Flow",
            variants=(DEFAULT, *published),
            paper="FlowIID, arXiv 2601.12329 (variant shading8); its predecessor (albedo16)",
        )
    ]
