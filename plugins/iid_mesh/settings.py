"""What users may turn: options of decomposing, configuration of training."""

from __future__ import annotations

from dataclasses import dataclass

from intrinsic_cli.api import TrainConfig, knob


@dataclass(frozen=True, slots=True)
class MeshOptions:
    """``-O key=value`` of ``iid decompose -m mesh``."""

    refine: int = knob(
        -1,
        "steps that fit shape and camera to the silhouette; -1 = few after a network, many without",
        low=-1,
    )
    outline: int = knob(
        80,
        "with refine=0: steps that fit the network's mesh to the outline the network itself sees",
        low=0,
    )
    mask_model: str = knob(
        "", "a segmentation .onnx that finds the silhouette; empty = alpha or --mask, else GrabCut"
    )
    objects: int = knob(4, "objects of a photo made to meshes, the largest first", low=1)
    texture: int = knob(0, "width of the texture, pixels; 0 = by the object's size", low=0)
    frames: int = knob(36, "pictures of the turntable", low=1)
    flow: bool = knob(
        False, "also write where in the photo the network takes each texel from (red: x, green: y)"
    )


@dataclass(frozen=True, slots=True)
class MeshConfig(TrainConfig):
    """``--set key=value`` of ``iid train --plugin mesh``."""

    steps: int = knob(3000, "optimisation steps of a stage, at most", low=1)
    s1_steps: int = knob(500, "steps in which stage s1 grows the template, at most", low=1)
    template_steps: int = knob(60, "batches from which stage template gathers its parts", low=1)
    flow_steps: int = knob(3000, "steps of stage flow, at most", low=1)
    batch_size: int = knob(8, "photos per step", low=1)
    crop: int = knob(64, "side of the square crop, pixels; a multiple of 16", low=16, multiple=16)
    render: int = knob(32, "side of the renders that are fitted, pixels", low=16, multiple=16)
    lr: float = knob(1e-3, "peak learning rate", low=0)
    encoder_lr: float = knob(5e-4, "peak learning rate of the encoder", low=0)
    shape_lr: float = knob(5e-5, "peak learning rate of the layers that bend the shape", low=0)
    growth_lr: float = knob(1e-2, "peak learning rate of the template in stage s1", low=0)
    sigma: float = knob(
        3e-4, "softness of silhouettes at the start, squared picture units (-1..1)", low=0
    )
    last_sigma: float = knob(1e-4, "softness of silhouettes at the end", low=0)
    smoothings: int = knob(
        0, "times the shapes stage s2 begins with are averaged with their neighbours (lite)", low=0
    )
    recount: bool = knob(
        True, "count anew what zones the template shows from all sides, by which cameras are found"
    )
    hypotheses: int = knob(8, "cameras proposed for each photo", low=1)
    backbone: str = knob(
        "lite", "lite = small encoder and heads; paper = the published layers", ("lite", "paper")
    )
    pretrained: str = knob(
        "auto",
        "start the encoder from ImageNet weights; auto = where the extra 'pretrained' is installed",
        ("auto", "yes", "no"),
    )
    camera_weight: float = knob(1.0, "weight of the cameras that were found", low=0)
    mask_weight: float = knob(2.5, "weight of the silhouette", low=0)
    laplacian_weight: float = knob(0.15, "weight of a smooth surface", low=0)
    flatten_weight: float = knob(0.0, "weight of flat edges", low=0)
    bend_weight: float = knob(0.0, "weight of neighbours that leave the template apart", low=0)
    deform_weight: float = knob(0.5, "weight of the distance from the template", low=0)
    texture_weight: float = knob(0.5, "weight of the render's likeness to the photo", low=0)
    flow_weight: float = knob(1.0, "weight of texture flow that leaves the silhouette", low=0)
    cycle_weight: float = knob(5.0, "weight of the texture cycle", low=0)
    gan_weight: float = knob(0.0, "weight of the discriminator of other sides", low=0)
    entropy_weight: float = knob(0.02, "weight of the entropy of cameras", low=0)
    part_weight: float = knob(0.0, "weight of rendered parts", low=0)
    vertex_weight: float = knob(3.0, "weight of the parts' vertices", low=0)
    map_weight: float = knob(0.1, "weight of the part maps the network sees by itself", low=0)
    zone_map_weight: float = knob(1.0, "weight of the zone maps the network sees by itself", low=0)
    coverage_weight: float = knob(1.0, "weight of zones that flow comes from all of", low=0)
    zone_weight: float = knob(1.0, "weight of flow that comes from the right zones", low=0)
    stray_weight: float = knob(1.0, "weight of flow that comes from where the mesh shows it", low=0)

    def __post_init__(self) -> None:
        """ValueError where a batch norm of the published layers would have but one number to take
        a mean of: their last map is a 32nd of the crop's side."""
        if self.backbone == "paper" and self.batch_size == 1 and self.crop <= 32:
            raise ValueError(
                f"backbone=paper cannot learn from one photo of {self.crop} pixels at a time: "
                "crop must be at least 48, or batch_size at least 2"
            )
