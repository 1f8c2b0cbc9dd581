"""What users may turn: options of decomposing, configuration of training."""

from __future__ import annotations

from dataclasses import dataclass

from intrinsic_cli.api import TrainConfig, knob

_PRETRAINED = ("auto", "yes", "no")


@dataclass(frozen=True, slots=True)
class FlowOptions:
    """``-O key=value`` of ``iid decompose -m flow``."""

    steps: int = knob(
        0,
        "Euler steps of the flow; 0 = the variant's own (default 1, albedo16 2, shading8 1)",
        low=0,
    )
    mode: str = knob(
        "flow", "flow, or vae to run the auto-encoder alone (seed feature)", ("flow", "vae")
    )
    temperature: float = knob(
        0.0, "spread of the starting noise: 0 = the mean answer, 1 = a sample (default variant)"
    )
    size: int = knob(
        384, "short side of the photo the network sees, pixels (default variant)", low=32
    )
    mirror: bool = knob(True, "average the photo's and its mirror image's answer (default variant)")


@dataclass(frozen=True, slots=True)
class FlowConfig(TrainConfig):
    """``--set key=value`` of ``iid train --plugin flow``."""

    steps: int = knob(4500, "optimisation steps of a stage (the VAE stops earlier, at vae_steps)")
    vae_steps: int = knob(1200, "optimisation steps of stage vae at most")
    batch_size: int = knob(16, "photos per step")
    crop: int = knob(128, "side of the square training crop, pixels; a multiple of 32", low=32)
    lr: float = knob(
        1e-3, "peak learning rate of everything but the encoder (published variants: a tenth of it)"
    )
    encoder_lr: float = knob(6e-4, "peak learning rate of the conditioning encoder")
    weight_decay: float = knob(0.01, "AdamW weight decay")
    pretrained: str = knob(
        "auto",
        "start the encoder from ImageNet weights; auto = where the extra 'pretrained' is installed",
        _PRETRAINED,
    )
    mean_share: float = knob(
        0.75, "share of samples trained at t = 0 without noise: the one-step answer"
    )
    flow_weight: float = knob(0.1, "weight of the latent flow-matching loss")
    pixel_weight: float = knob(1.0, "weight of the log-shading loss on the decoded answer")
    gradient_weight: float = knob(1.0, "weight of its multi-scale gradient part")
    linear_weight: float = knob(
        0.25, "weight of the scale-invariant losses in linear light, whole and in windows"
    )
    chroma_weight: float = knob(0.5, "weight of shading colour against shading brightness")
    decoder_lr: float = knob(
        3e-4, "peak learning rate of the VAE's decoder in stage flow; 0 leaves it frozen"
    )
    kl_weight: float = knob(
        2e-5, "weight of the VAE's Kullback-Leibler term (published variants: 250 times it)"
    )
    gan_weight: float = knob(0.1, "published variants: weight of the patch GAN in stage vae")
    gan_start: int = knob(21000, "published variants: step from which the patch GAN is on")
