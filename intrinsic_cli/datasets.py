"""The dataset readers the house brings along: described here, imported on first use."""

from __future__ import annotations

from intrinsic_cli.api import DatasetSpec

DATASETS = (
    DatasetSpec(
        name="synth",
        summary="rendered views with exact layers; a miniature is packaged, a path names a folder of shards",
        target="intrinsic_cli.kit.data.synth:open_synth",
        offers=frozenset({"photo", "albedo", "shading", "mask", "normals"}),
        layout="a folder of rendered shards",
        needs_path=False,
    ),
    DatasetSpec(
        name="mit",
        summary="MIT intrinsic images: 20 photographed objects",
        target="intrinsic_cli.kit.data.mit:open_mit",
        offers=frozenset({"photo", "albedo", "shading", "mask"}),
        licence="research use",
        layout="one folder an object with its pictures",
    ),
    DatasetSpec(
        name="arap",
        summary="ARAP: rendered scenes with full-size albedo and shading",
        target="intrinsic_cli.kit.data.arap:open_arap",
        offers=frozenset({"photo", "albedo", "shading", "mask"}),
        licence="research use",
        layout="one set of pictures a scene",
    ),
    DatasetSpec(
        name="folder",
        summary="your own photos with layers",
        target="intrinsic_cli.kit.data.folder:open_folder",
        offers=frozenset({"photo", "albedo", "shading", "mask"}),
        layout="photo/, albedo/, shading/ (and mask/) with equal file names",
    ),
)
