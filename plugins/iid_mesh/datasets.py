"""The datasets of objects with silhouettes: named here, imported on first use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from intrinsic_cli.api import DatasetSpec

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Row

_DATA = "iid_mesh.data"
#: What every network learns from.
SILHOUETTES = frozenset({"photo", "mask", "silhouette"})
_ROWS: Mapping[str, Row] = {
    "parts": "planes",
    "zones": "planes",
    "cameras": "numbers",
    "vertices": "numbers",
}
_PROTOCOLS = ("meshes",)

DATASETS = (
    DatasetSpec(
        name="birds",
        summary="made-up birds with exact shapes, cameras and parts",
        target=f"{_DATA}.bird_sources:open_birds",
        offers=SILHOUETTES
        | {"albedo", "shading", "parts", "zones", "keypoints", "cameras", "vertices"},
        layout="nothing, or rendered birds: train/ and val/, each with *.tar (shards of synth; in "
        "ids the bird is 1), birds.json {KEY: {keypoints: 15 of [x, y, seen], camera: [scale, x, "
        "y, quaternion w x y z]}} in -1..1 of the view, parts/KEY.png (gray labels of pixels: "
        "1 head, 2 neck, 3 back, 4 belly) and zones/KEY.png (1 beak ... 17 foot)",
        needs_path=False,
        page="made on the fly; a path names rendered birds, which are mixed with them. How to make "
        "these says the docstring of iid_mesh.data.rendered",
        protocols=_PROTOCOLS,
        rows=_ROWS,
    ),
    DatasetSpec(
        name="objects",
        summary="your own photos of one kind of object, with silhouettes",
        target=f"{_DATA}.objects:open_objects",
        offers=SILHOUETTES | {"parts"},
        licence="yours",
        layout="images/NAME.jpg and masks/NAME.png, or images/NAME.png with alpha",
        page="your disk",
        protocols=_PROTOCOLS,
        rows=_ROWS,
        least="one photo; a network needs hundreds",
    ),
    DatasetSpec(
        name="cub",
        summary="CUB-200-2011: birds with keypoints and silhouettes",
        target=f"{_DATA}.cub.reader:open_cub",
        offers=SILHOUETTES | {"keypoints"},
        licence="see its page",
        layout="CUB_200_2011/ with images.txt, bounding_boxes.txt, train_test_split.txt, parts/, "
        "images/ and segmentations/; or images/ alone and CMR's data/*_cub_cleaned.mat, scops/",
        page="Wah et al., The Caltech-UCSD Birds-200-2011 Dataset, Caltech 2011",
        protocols=_PROTOCOLS,
        prepare=f"{_DATA}.cub.write_crops:write_crops",
        rows=_ROWS,
    ),
)
