"""The datasets and protocols of faces: named here, imported on first use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from intrinsic_cli.api import DatasetSpec, ProtocolSpec

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Row

_DATA = "iid_residual.data"
_KEYS = frozenset({"photo", "albedo", "shading", "normals", "light", "mask", "silhouette", "label"})
_ROWS: Mapping[str, Row] = {"label": "numbers"}
_LISTS = (
    "train.csv and test.csv with the columns albedo,normal,depth,mask,face,light,name "
    "(or face,name)"
)

DATASETS = (
    DatasetSpec(
        name="heads",
        summary="rendered heads under mixed light, cut out as faces are",
        target=f"{_DATA}.heads:open_heads",
        offers=_KEYS,
        licence="CC0 assets, where the heads are those of `synth`",
        layout="SHARDS[,PHOTOS]: train/ and val/ with *.tar and faces.json; a folder of faces",
        page="shards of rendered scenes, as those of `synth`",
        protocols=("faces",),
        prepare=f"{_DATA}.points:write_points",
        several=True,
        rows=_ROWS,
    ),
    DatasetSpec(
        name="heads-light",
        summary="rendered heads, each under one light after the other",
        target=f"{_DATA}.one_light:open_heads_light",
        offers=frozenset({"photo", "albedo", "normals", "light", "mask"}),
        licence="as heads",
        layout="SHARDS: train/ and val/ with *.tar and faces.json",
        page="as heads",
        protocols=("faces-light",),
        trains=False,
    ),
    DatasetSpec(
        name="faces",
        summary="photos of faces without truth, to learn from in stage real",
        target=f"{_DATA}.face_folders:open_faces",
        offers=_KEYS,
        licence="that of the photos",
        layout="PHOTOS[,FACES]: a folder of faces cut out; heads or lists with truth beside them",
        page="your disk",
        protocols=("faces",),
        prepare=f"{_DATA}.crops:write_crops",
        several=True,
        rows=_ROWS,
    ),
    DatasetSpec(
        name="faces-light",
        summary="one face under many lights, which the names of the files tell",
        target=f"{_DATA}.yale:open_faces_light",
        offers=frozenset({"photo", "mask"}),
        licence="research use (Extended Yale B)",
        layout="any depth of folders with NAMEA+035E+15.pgm: azimuth 35°, elevation 15°",
        page="Georghiades et al., From Few to Many: Illumination Cone Models …, PAMI 2001",
        protocols=("faces-light",),
        prepare=f"{_DATA}.write_lit_heads:write_lit_heads",
        trains=False,
    ),
    DatasetSpec(
        name="sfsnet",
        summary="SfSNet's synthetic faces with normals, albedo and light",
        target=f"{_DATA}.face_folders:open_sfsnet",
        offers=_KEYS,
        licence="research use",
        layout=f"FACES[,PHOTOS]: {_LISTS}; a folder of faces",
        page="Sengupta et al., SfSNet: Learning Shape, Reflectance and Illuminance …, CVPR 2018",
        protocols=("faces",),
        prepare=f"{_DATA}.write_lists:write_sfsnet_lists",
        several=True,
        rows=_ROWS,
    ),
    DatasetSpec(
        name="celeba",
        summary="CelebA crops, or CelebA with predicted layers",
        target=f"{_DATA}.face_folders:open_celeba",
        offers=_KEYS,
        licence="see its page",
        layout=_LISTS,
        page="Liu et al., Deep Learning Face Attributes in the Wild, ICCV 2015",
        protocols=("faces",),
        prepare=f"{_DATA}.write_lists:write_celeba_lists",
        rows=_ROWS,
    ),
)
PROTOCOLS = (
    ProtocolSpec("faces", "iid_residual.protocols.faces:FACES"),
    ProtocolSpec("faces-light", "iid_residual.protocols.faces_light:FACES_LIGHT"),
)
