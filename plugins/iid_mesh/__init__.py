"""A textured 3D mesh from one photo: a category's shape, bent and painted to the photo."""

from __future__ import annotations

from iid_mesh.datasets import DATASETS, SILHOUETTES
from iid_mesh.settings import MeshConfig, MeshOptions
from intrinsic_cli.api import DatasetSpec, MethodSpec, ProtocolSpec, Variant, hookimpl

#: What every variant hands out.
_LAYERS = ("albedo", "shading", "render", "mask", "silhouette")
_OTHERS = ("mesh", "texture", "camera", "turntable")


_SMOKE = {
    "s1_steps": 2,
    "template_steps": 2,
    "flow_steps": 2,
    "batch_size": 2,
    "crop": 32,
    "render": 16,
    "hypotheses": 2,
    "val_batches": 1,
    "pretrained": "no",
}
_LEARNED = Variant(
    layers=(*_LAYERS, *_OTHERS),
    needs=SILHOUETTES,
    options=MeshOptions,
    config=MeshConfig,
    stages=("s1", "template", "s2", "flow"),
    smoke=_SMOKE,
    summary="a network's shape and camera, fitted to the silhouette; without weights as fit",
    works_untrained=True,
    kinds={"flow": "texture"},
    asked_by={"flow": ("flow",)},
    measured_with={"refine": 0, "flow": True, "frames": 1},
    data="birds",
)
_FITTED = Variant(
    name="fit",
    layers=(*_LAYERS, *_OTHERS),
    options=MeshOptions,
    stages=(),
    measured_with={"frames": 1},
    summary="any object: a shape fitted to the silhouette alone, seen from its side",
)


@hookimpl
def iid_methods() -> list[MethodSpec]:
    """One method; its default variant learns a category, the other knows none."""
    return [
        MethodSpec(
            name="mesh",
            summary="a textured 3D mesh of each object, symmetric, with its camera",
            target="iid_mesh.method:MeshMethod",
            variants=(_LEARNED, _FITTED),
            paper="Li et al., Self-supervised single-view 3D reconstruction, ECCV 2020 (UMR)",
        )
    ]


@hookimpl
def iid_datasets() -> list[DatasetSpec]:
    """Objects with silhouettes."""
    return list(DATASETS)


@hookimpl
def iid_protocols() -> list[ProtocolSpec]:
    """How meshes are scored."""
    return [ProtocolSpec("meshes", "iid_mesh.protocol:MESHES")]
