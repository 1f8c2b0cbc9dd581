"""What users may turn: options of decomposing, configuration of training."""

from __future__ import annotations

from dataclasses import dataclass

from intrinsic_cli.api import TrainConfig, knob

_MODES = ("flow", "vae")
_MODE = "flow, or vae: no decomposition, but the photo as the auto-encoder alone rebuilds it"


@dataclass(frozen=True, slots=True)
class FlowOptions:
    """``-O key=value`` of ``iid decompose -m flow``."""

    steps: int = knob(0, "Euler steps of the flow; 0 = one, the fewest that lose nothing", low=0)
    mode: str = knob("flow", _MODE, _MODES)
    temperature: float = knob(
        0.0, "spread of the starting noise: 0 = the mean answer, 1 = a sample"
    )
    size: int = knob(384, "short side of the photo the network sees, pixels", low=32)
    mirror: bool = knob(True, "average the photo's and its mirror image's answer")
    mask: bool = knob(
        False, "also a mask, black where lamps or windows are clipped and the albedo is unknown"
    )


@dataclass(frozen=True, slots=True)
class PublishedOptions:
    """``-O key=value`` of ``iid decompose -m flow:albedo16`` and ``flow:shading8``."""

    steps: int = knob(
        0, "Euler steps of the flow; 0 = the authors' own: albedo16 two, shading8 one", low=0
    )
    mode: str = knob("flow", _MODE, _MODES)


@dataclass(frozen=True, slots=True)
class FlowConfig(TrainConfig):
    """``--set key=value`` of ``iid train --plugin flow``."""

    steps: int = knob(
        4500, "optimisation steps of a stage (the VAE stops earlier, at vae_steps)", low=1
    )
    vae_steps: int = knob(1200, "optimisation steps of stage vae at most", low=1)
    batch_size: int = knob(16, "photos per step", low=1)
    crop: int = knob(
        128, "side of the square training crop, pixels; a multiple of 32", low=32, multiple=32
    )
    lr: float = knob(1e-3, "peak learning rate of everything but the encoder", low=0)
    encoder_lr: float = knob(6e-4, "peak learning rate of the conditioning encoder", low=0)
    weight_decay: float = knob(0.01, "AdamW weight decay", low=0)
    pretrained: str = knob(
        "auto",
        "start the encoder from ImageNet weights; auto = where the extra 'pretrained' is installed",
        ("auto", "yes", "no"),
    )
    mean_share: float = knob(
        0.75,
        "share of samples trained at t = 0 without noise: the one-step answer",
        low=0,
        high=1,
    )
    flow_weight: float = knob(0.1, "weight of the latent flow-matching loss")
    pixel_weight: float = knob(1.0, "weight of the log-shading loss on the decoded answer")
    gradient_weight: float = knob(1.0, "weight of its multi-scale gradient part")
    linear_weight: float = knob(
        0.25, "weight of the scale-invariant losses in linear light, whole and in windows"
    )
    chroma_weight: float = knob(3.0, "weight of shading colour against shading brightness")
    rebuild_weight: float = knob(
        0.25, "weight of rebuilding true shading in stage flow, so that its decoder keeps colour"
    )
    agree_weight: float = knob(
        0.0,
        "weight of the difference of the albedos of one paint under two lights; above 0 a batch "
        "holds half as many crops, each under two lights (synth)",
        low=0,
    )
    agree_colour: float = knob(
        0.0,
        "share of a difference in the colour of the whole albedo that counts there",
        low=0,
        high=1,
    )
    agree_parts: float = knob(
        0.0,
        "share of the batches whose second photos show a part of the first, enlarged and turned",
        low=0,
        high=1,
    )
    decoder_lr: float = knob(
        3e-4, "peak learning rate of the VAE's decoder in stage flow; 0 leaves it frozen", low=0
    )
    kl_weight: float = knob(2e-5, "weight of the VAE's Kullback-Leibler term")
    auto_encoder: str = knob(
        "", "weights whose VAE stage flow begins with, in place of the one that comes with --init"
    )

    def __post_init__(self) -> None:
        """ValueError where there is nothing to compare."""
        if self.agree_weight and self.batch_size < 2:
            raise ValueError("agree_weight compares two photos: batch_size must be at least 2")


@dataclass(frozen=True, slots=True)
class ResidualFlowConfig(FlowConfig):
    """``--set key=value`` of ``iid train --plugin flow:residual``."""

    residual_weight: float = knob(1.0, "weight of the error of highlights", low=0)
    residual_lr: float = knob(1e-3, "peak learning rate of the network of highlights", low=0)
    residual_alone: bool = knob(
        False, "train the network of highlights alone; all others stay as --init gives them"
    )


@dataclass(frozen=True, slots=True)
class PublishedConfig(TrainConfig):
    """``--set key=value`` of ``iid train --plugin flow:albedo16`` and ``flow:shading8``."""

    steps: int = knob(
        4500, "optimisation steps of a stage (the VAE stops earlier, at vae_steps)", low=1
    )
    vae_steps: int = knob(1200, "optimisation steps of stage vae at most", low=1)
    batch_size: int = knob(16, "photos per step", low=1)
    crop: int = knob(
        128, "side of the square training crop, pixels; a multiple of 16", low=32, multiple=16
    )
    lr: float = knob(1e-4, "peak learning rate of everything but the discriminator", low=0)
    gradient_weight: float = knob(
        1.0, "weight of gradients at several scales, which stand where the papers have LPIPS"
    )
    kl_weight: float = knob(0.005, "weight of the VAE's Kullback-Leibler term")
    gan_weight: float = knob(0.1, "weight of the patch GAN in stage vae")
    gan_start: int = knob(21000, "step from which the patch GAN is on", low=0)
