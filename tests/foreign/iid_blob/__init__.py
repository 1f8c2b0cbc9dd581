"""A stranger's mesh method: the silhouette of an object, blown up to a body."""

from __future__ import annotations

from intrinsic_cli.api import MethodSpec, Variant, hookimpl


@hookimpl
def iid_methods() -> list[MethodSpec]:
    return [
        MethodSpec(
            name="blob",
            summary="a silhouette blown up to a textured mesh",
            target="iid_blob.method:Blob",
            variants=(
                Variant(
                    layers=("mask", "render", "mesh", "camera", "turntable"),
                    needs=frozenset({"photo", "silhouette"}),
                    smoke={"batch_size": 2, "crop": 16, "val_batches": 1},
                ),
            ),
        )
    ]
