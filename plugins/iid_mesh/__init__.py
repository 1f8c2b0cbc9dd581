"""A textured 3D mesh from one photo: a category's shape, bent and painted to the photo."""

from __future__ import annotations

from intrinsic_cli.api import DatasetSpec, MethodSpec, ProtocolSpec, hookimpl


@hookimpl
def iid_methods() -> list[MethodSpec]:
    """None yet."""
    return []


@hookimpl
def iid_datasets() -> list[DatasetSpec]:
    """Objects with silhouettes."""
    return []


@hookimpl
def iid_protocols() -> list[ProtocolSpec]:
    """How meshes are scored."""
    return []
