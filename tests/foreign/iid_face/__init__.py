"""A stranger's face method: finds faces (discs of the colour of skin), looks at them one by one,
brings a dataset and a protocol of its own."""

from __future__ import annotations

from intrinsic_cli.api import DatasetSpec, MethodSpec, ProtocolSpec, Variant, hookimpl

OFFERS = frozenset({"photo", "normals", "silhouette", "keypoints", "light", "pose", "mask"})


@hookimpl
def iid_methods() -> list[MethodSpec]:
    return [
        MethodSpec(
            name="face",
            summary="faces as round as eggs, under the light they show",
            target="iid_face.method:Face",
            variants=(
                Variant(
                    layers=("albedo", "shading", "normals", "mask", "light"),
                    needs=OFFERS - {"mask"},
                    smoke={"batch_size": 2, "crop": 16, "val_batches": 1},
                ),
            ),
        )
    ]


@hookimpl
def iid_datasets() -> list[DatasetSpec]:
    return [
        DatasetSpec(
            name="discs",
            summary="made-up faces: discs under one light",
            target="iid_face.discs:open_discs",
            offers=OFFERS,
            needs_path=False,
            protocols=("discs",),
            rows={"pose": "numbers"},
        )
    ]


@hookimpl
def iid_protocols() -> list[ProtocolSpec]:
    return [ProtocolSpec("discs", "iid_face.protocol:DISCS")]
