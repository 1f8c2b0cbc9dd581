"""A textured 3D mesh from one photo: a category's shape, bent and painted to the photo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from intrinsic_cli.api import DatasetSpec, MethodSpec, ProtocolSpec, hookimpl

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Row

_SILHOUETTES = frozenset({"photo", "mask", "silhouette"})
_TRUTH = ("cameras", "vertices")
_ROWS: dict[str, Row] = {"parts": "planes", "cameras": "numbers", "vertices": "numbers"}


@hookimpl
def iid_methods() -> list[MethodSpec]:
    """None yet."""
    return []


@hookimpl
def iid_datasets() -> list[DatasetSpec]:
    """Objects with silhouettes."""
    return [
        DatasetSpec(
            name="birds",
            summary="made-up birds with exact shapes, cameras and parts",
            target="iid_mesh.data.birds:open_birds",
            offers=_SILHOUETTES | {"albedo", "shading", "parts", "keypoints", *_TRUTH},
            needs_path=False,
            page="made on the fly",
            protocols=("meshes",),
            rows=_ROWS,
        ),
    ]


@hookimpl
def iid_protocols() -> list[ProtocolSpec]:
    """How meshes are scored."""
    return []
