"""Hypersim's renderings → frames to train on: tone mapping, shading, resize, in the published
order.

Layout of the originals from memory: verify.
``ai_XXX_XXX/images/scene_cam_XX_final_hdf5/frame.NNNN.color.hdf5`` with ``diffuse_reflectance``
beside it and ``scene_cam_XX_geometry_hdf5/frame.NNNN.render_entity_id.hdf5``; the same names with
``.exr`` serve too. HDF5 needs the package h5py."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from intrinsic_cli.api import DataError, Progress
from intrinsic_cli.kit.data.hypersim.reader import LAYERS, PHOTOS, layer_beside
from intrinsic_cli.kit.data.hypersim.recipe import shading_from_albedo, square, tonemap
from intrinsic_cli.kit.data.layer_files import refuse_empty, require_files
from intrinsic_cli.kit.data.layouts import HYPERSIM_ORIGINALS
from intrinsic_cli.kit.files.atomic import replacing
from intrinsic_cli.kit.files.exr import read_exr, write_exr

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

SIDE = 256
_ALBEDO = LAYERS["albedo"]


def write_frames(source: Path, out: Path, progress: Progress) -> int:
    """Write ``ldr``, ``diffuse_reflectance`` and ``shading`` of every frame as half-float EXR of
    256², same folders.

    Frames that are there already are skipped. Returns how many were written."""
    patterns = [f"ai_*/images/*/frame.*.color.{end}" for end in ("hdf5", "exr")]
    photos = sorted(path for pattern in patterns for path in source.glob(pattern))
    if not photos:
        refuse_empty("Hypersim renderings", source, HYPERSIM_ORIGINALS)
    wanted = [layer_beside(path, _ALBEDO) for path in photos]
    require_files("Hypersim", source, wanted, HYPERSIM_ORIGINALS)
    progress.start("hypersim", len(photos))
    written = 0
    for photo in photos:
        written += _write(photo, out / photo.relative_to(source).parent)
        progress.advance()
    progress.finish()
    return written


def make_frame(
    light: Tensor, albedo: Tensor, valid: Tensor | None, side: int = SIDE
) -> tuple[Tensor, Tensor, Tensor]:
    """Rendered light and reflectance [1,3,H,W] → photo, albedo [1,3,S,S] and shading [1,1,S,S].

    Tone mapped at full size (the 90th percentile of ``valid`` [1,1,H,W] goes to .8), then divided,
    then resized: the published order, ε 1e-8."""
    photo = tonemap(light, valid)
    shading = shading_from_albedo(photo, albedo, epsilon=1e-8)
    return square(photo, side), square(albedo, side), square(shading, side)


def _write(source: Path, folder: Path) -> bool:
    """Write one frame; False where it is there already."""
    beside = (folder / source.name).with_suffix(".exr")
    kinds = (PHOTOS[0], _ALBEDO, LAYERS["shading"])
    places = [layer_beside(beside, kind) for kind in kinds]
    if all(place.is_file() for place in places):
        return False
    folder.mkdir(parents=True, exist_ok=True)
    light = _planes(read_rendering(source))
    albedo = _planes(read_rendering(layer_beside(source, _ALBEDO)))
    frame = make_frame(light, albedo, _valid(source))
    for place, layer in zip(places, frame, strict=True):
        with replacing(place) as temporary:
            write_exr(temporary, layer[0].permute(1, 2, 0).numpy())
    return True


def _valid(photo: Path) -> Tensor | None:
    """Where something was rendered; everywhere (None), if the ids are missing."""
    ids = layer_beside(photo, "render_entity_id")
    if not ids.is_file():
        geometry = ids.parent.name.replace("_final_", "_geometry_")
        ids = ids.parent.with_name(geometry) / ids.name
    if not ids.is_file():
        return None
    return _planes(read_rendering(ids))[:, :1] != -1


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
    """[H,W] or [H,W,C] → [1,C,H,W], at most three channels, without what is no number."""
    pixels = layer[..., None] if layer.ndim == 2 else layer[..., :3]
    planes = np.ascontiguousarray(pixels.transpose(2, 0, 1), np.float32)
    return torch.from_numpy(planes)[None].nan_to_num(0.0)
