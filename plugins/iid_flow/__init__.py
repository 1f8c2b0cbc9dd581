"""Latent flow matching for intrinsic images: a shading auto-encoder and a velocity network on its latents."""

from __future__ import annotations

from iid_flow.settings import FlowConfig, FlowOptions
from intrinsic_cli.api import MethodSpec, hookimpl


@hookimpl
def iid_methods() -> list[MethodSpec]:
    """One method: the default network and the two published ones."""
    return [
        MethodSpec(
            name="flow",
            summary="VAE of log shading + latent flow matching, conditioned on a pretrained image encoder",
            target="iid_flow.method:Flow",
            layers=("albedo", "shading"),
            variants=("albedo16", "shading8"),
            stages=("vae", "flow"),
            needs=frozenset({"photo", "albedo", "shading", "mask"}),
            options=FlowOptions,
            config=FlowConfig,
            smoke={"steps": 2, "batch_size": 1, "crop": 32, "val_batches": 1, "pretrained": "no", "gan_start": 0},
            paper="FlowIID, arXiv 2601.12329 (variant shading8); its predecessor (variant albedo16)",
        )
    ]
