"""A textured 3D mesh from one photo: a category's shape, bent and painted to the photo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iid_mesh.settings import MeshConfig, MeshOptions
from intrinsic_cli.api import DatasetSpec, MethodSpec, ProtocolSpec, Variant, hookimpl

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Row

_SILHOUETTES = frozenset({"photo", "mask", "silhouette"})
_TRUTH = ("cameras", "vertices")
_ROWS: dict[str, Row] = {"parts": "planes", "cameras": "numbers", "vertices": "numbers"}


#: What every variant hands out.
_LAYERS = ("albedo", "shading", "render", "mask", "silhouette")
_OTHERS = ("mesh", "texture", "camera", "turntable")


_SMOKE = {
    "s1_steps": 2,
    "template_steps": 2,
    "batch_size": 2,
    "crop": 32,
    "render": 16,
    "hypotheses": 2,
    "val_batches": 1,
    "pretrained": "no",
}
_LEARNED = Variant(
    layers=(*_LAYERS, *_OTHERS),
    needs=_SILHOUETTES,
    options=MeshOptions,
    config=MeshConfig,
    stages=("s1", "template", "s2"),
    smoke=_SMOKE,
    summary="a network's shape and camera, fitted to the silhouette; without weights as fit",
    works_untrained=True,
)
_FITTED = Variant(
    name="fit",
    layers=(*_LAYERS, *_OTHERS),
    options=MeshOptions,
    stages=(),
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
    return [
        DatasetSpec(
            name="birds",
            summary="made-up birds with exact shapes, cameras and parts",
            target="iid_mesh.data.birds:open_birds",
            offers=_SILHOUETTES | {"albedo", "shading", "parts", "keypoints", *_TRUTH},
            layout="nothing, or train/ and val/ with *.tar, birds.json and parts/KEY.png",
            needs_path=False,
            page="made on the fly; a path names rendered birds, which are mixed with them",
            protocols=("meshes",),
            rows=_ROWS,
        ),
        DatasetSpec(
            name="objects",
            summary="your own photos of one kind of object, with silhouettes",
            target="iid_mesh.data.objects:open_objects",
            offers=_SILHOUETTES | {"parts"},
            licence="yours",
            layout="images/NAME.jpg and masks/NAME.png, or images/NAME.png with alpha",
            page="your disk",
            protocols=("meshes",),
            rows=_ROWS,
            least="one photo; a network needs hundreds",
        ),
        DatasetSpec(
            name="cub-cmr",
            summary="CUB-200-2011 with CMR's cached masks and keypoints",
            target="iid_mesh.data.cub_cache:open_cub_cache",
            offers=_SILHOUETTES | {"keypoints"},
            licence="see its page",
            layout="CUB_200_2011/images/, data/{train,val,test}_cub_cleaned.mat, scops/ if any",
            page="Kanazawa et al., Learning Category-Specific Mesh Reconstruction …, ECCV 2018",
            protocols=("meshes",),
            rows=_ROWS,
        ),
    ]


@hookimpl
def iid_protocols() -> list[ProtocolSpec]:
    """How meshes are scored."""
    return [ProtocolSpec("meshes", "iid_mesh.protocol:MESHES")]
