"""Hypersim's renderings → frames to train on: tone mapping, shading, resize, in the published
order.

Layout of the originals from memory: verify.
``ai_XXX_XXX/images/scene_cam_XX_final_hdf5/frame.NNNN.color.hdf5`` with ``diffuse_reflectance``
beside it and ``scene_cam_XX_geometry_hdf5/frame.NNNN.render_entity_id.hdf5``; the same names with
``.exr`` serve too. HDF5 needs the package h5py."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from intrinsic_cli.api import DataError, Progress
from intrinsic_cli.kit.data.hypersim.reader import shading_from_albedo, square, tonemap
from intrinsic_cli.kit.data.layer_files import refuse_empty, require_files
from intrinsic_cli.kit.files.atomic import replacing
from intrinsic_cli.kit.files.exr import read_exr, write_exr

LAYOUT = "ai_XXX_XXX/images/scene_cam_XX_final_hdf5/frame.NNNN.{color,diffuse_reflectance}.hdf5 (or .exr)"
SIDE = 256
_KINDS = ("ldr", "diffuse_reflectance", "shading")


def prepare(source: Path, out: Path, progress: Progress) -> int:
    """Write ``ldr``, ``diffuse_reflectance`` and ``shading`` of every frame as half-float EXR of
    256², same folders.

    Frames that are there already are skipped. Returns how many were written."""
    photos = sorted(
        path
        for end in ("hdf5", "exr")
        for path in source.glob(f"ai_*/images/*/frame.*.color.{end}")
    )
    if not photos:
        refuse_empty("Hypersim renderings", source, LAYOUT)
    require_files(
        "Hypersim", source, [_beside(path, "diffuse_reflectance") for path in photos], LAYOUT
    )
    progress.start("hypersim", len(photos))
    written = 0
    for photo in photos:
        written += _write(photo, out / photo.relative_to(source).parent)
        progress.advance()
    progress.finish()
    return written


def develop(
    light: Tensor, albedo: Tensor, valid: Tensor | None, side: int = SIDE
) -> Iterator[Tensor]:
    """Rendered light and reflectance [1,3,H,W] → photo, albedo [1,3,S,S] and shading [1,1,S,S].

    Tone mapped at full size (the 90th percentile of ``valid`` [1,1,H,W] goes to .8), then divided,
    then resized: the published order, ε 1e-8."""
    photo = tonemap(light, valid)
    shading = shading_from_albedo(photo, albedo, epsilon=1e-8)
    yield from (square(x, side) for x in (photo, albedo, shading))


def _write(source: Path, folder: Path) -> bool:
    places = [folder / f"{'.'.join(source.name.split('.')[:2])}.{kind}.exr" for kind in _KINDS]
    if all(place.is_file() for place in places):
        return False
    folder.mkdir(parents=True, exist_ok=True)
    light, albedo = (
        _planes(read_rendering(path)) for path in (source, _beside(source, "diffuse_reflectance"))
    )
    for place, layer in zip(places, develop(light, albedo, _valid(source)), strict=True):
        with replacing(place) as temporary:
            write_exr(temporary, layer[0].permute(1, 2, 0).numpy())
    return True


def _valid(photo: Path) -> Tensor | None:
    """Where something was rendered; everywhere (None), if the ids are missing."""
    ids = photo.with_name(photo.name.replace(".color.", ".render_entity_id."))
    ids = (
        ids
        if ids.is_file()
        else ids.parent.with_name(ids.parent.name.replace("_final_", "_geometry_")) / ids.name
    )
    return _planes(read_rendering(ids))[:, :1] != -1 if ids.is_file() else None


def read_rendering(path: Path) -> NDArray[Any]:
    """One layer [H,W] or [H,W,3] float32 of an HDF5 or EXR file. DataError if it cannot be read."""
    if path.suffix == ".exr":
        return read_exr(path.read_bytes())
    try:
        h5py: Any = import_module("h5py")
    except ImportError as error:
        raise DataError(f"{path} is HDF5, which needs h5py", "pip install h5py") from error
    try:
        with h5py.File(path, "r") as file:
            return np.asarray(file["dataset"], np.float32)
    except (OSError, KeyError) as error:
        raise DataError(f"{path} is not a readable Hypersim layer", "download it again") from error


def _planes(layer: NDArray[Any]) -> Tensor:
    planes = layer[..., None] if layer.ndim == 2 else layer[..., :3]
    return torch.from_numpy(np.ascontiguousarray(planes.transpose(2, 0, 1), np.float32)).nan_to_num(
        0.0
    )[None]


def _beside(photo: Path, kind: str) -> Path:
    return photo.with_name(photo.name.replace(".color.", f".{kind}."))
