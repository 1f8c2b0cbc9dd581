"""Residual shading: normals, albedo, harmonic light and what harmonics miss, of faces."""

from __future__ import annotations

from iid_residual.datasets import DATASETS, PROTOCOLS
from iid_residual.settings import ResidualConfig, ResidualOptions, SkipNetConfig
from iid_residual.variants import DEFAULT, DESIGNS, Design
from intrinsic_cli.api import DatasetSpec, MethodSpec, ProtocolSpec, Variant, hookimpl

_LAYERS = ("normals", "albedo", "shading")
#: Of outputs whose names are the plugin's own.
_KINDS = {
    "rebuilt": "photo",
    "rebuilt_by_harmonics": "photo",
    "turn": "animation",
    "steps": "texture",
}
_SMOKE = {
    "steps": 2,
    "real_steps": 2,
    "batch_size": 2,
    "val_batches": 1,
    "pretrained": "no",
    "dis_width": 4,
}
#: The default variant is checked with our backbone, the others with the published one.
_LITE = {**_SMOKE, "crop": 64, "width": 16}
_PAPER = {**_SMOKE, "crop": 32, "width": 8, "backbone": "paper"}


def _variant(design: Design) -> Variant:
    default = design is DEFAULT
    layers = list(_LAYERS)
    if design.residual and design.harmonic:
        layers.append("residual")
    layers.append("mask")
    if design.harmonic:
        layers.append("light")
    return Variant(
        name="" if default else design.name,
        alias=design.name if default else "",
        layers=tuple(layers),
        needs=frozenset({"photo", "albedo", "shading", "normals", "light", "mask"}),
        options=ResidualOptions,
        config=SkipNetConfig if design.skip else ResidualConfig,
        stages=("synthetic", "real"),
        smoke=_LITE if default else _PAPER,
        summary=design.summary,
        kinds=_KINDS,
        asked_by=_asked(design),
    )


def _asked(design: Design) -> dict[str, tuple[str, ...]]:
    """Outputs that options ask for."""
    asked: dict[str, tuple[str, ...]] = {"rebuilt": ("rebuilt",)}
    if design.harmonic:
        asked["rebuilt_by_harmonics"] = ("rebuilt",)
        asked["relit"] = ("light", "ambient")
        asked["turn"] = ("turn",)
        asked["steps"] = ("steps",)
    return asked


@hookimpl
def iid_methods() -> list[MethodSpec]:
    """One method with the seven variants, SfSNet and SkipNet."""
    return [
        MethodSpec(
            name="residual",
            summary="faces: normals, albedo, harmonic light, and a residual for what light misses",
            target="iid_residual.method:Residual",
            variants=tuple(_variant(design) for design in DESIGNS),
            paper="SfSNet (Sengupta et al., CVPR 2018) with residual shading",
        )
    ]


@hookimpl
def iid_datasets() -> list[DatasetSpec]:
    """Faces: rendered, in files, under many lights."""
    return list(DATASETS)


@hookimpl
def iid_protocols() -> list[ProtocolSpec]:
    """How faces are scored."""
    return list(PROTOCOLS)
