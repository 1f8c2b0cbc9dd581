"""Hypersim (Roberts et al. 2021): rendered rooms, and the published recipe that makes photos of
them.

The recipe is in linear light throughout. Originals are turned into frames by ``hypersim_frames``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from intrinsic_cli.api import Case
from intrinsic_cli.api.data import Split
from intrinsic_cli.api.outputs import FACTORS
from intrinsic_cli.kit.data.layer_files import read_layer, refuse_empty, require_files
from intrinsic_cli.kit.data.readers import TrainingReader, share
from intrinsic_cli.kit.files.photo import read_photo

LAYOUT = "ai_XXX_XXX/images/scene_cam_XX_*/frame.NNNN.{ldr,diffuse_reflectance,shading}.exr"
#: What a photo is called, ours first; what the layers are called.
PHOTOS = ("ldr", "reconstructed_ldr")
STORED = {"albedo": "diffuse_reflectance", "shading": "shading"}


def brightness(rgb: Tensor) -> Tensor:
    """``[...,3,H,W]`` → ``[...,1,H,W]``: .30 R + .59 G + .11 B, the recipe's weights."""
    weights = rgb.new_tensor([0.3, 0.59, 0.11]).view(3, 1, 1)
    return (rgb * weights).sum(-3, keepdim=True)


def tonemap_scale(rgb: Tensor, valid: Tensor | None = None, gamma: float = 1.0) -> Tensor:
    """``[B,3,H,W]`` → the factor ``[B,1,1,1]`` that brings the 90th percentile of brightness to 0.8
    after gamma.

    Only pixels of ``valid`` [B,1,H,W] (all, if None) are looked at. 0 for a black picture, 1 where
    none is valid."""
    level = brightness(rgb)
    if valid is not None:
        level = level.masked_fill(valid < 0.5 if valid.is_floating_point() else ~valid, torch.nan)
    p90 = level.float().flatten(1).nanquantile(0.9, dim=1).view(-1, 1, 1, 1)
    scale = torch.where(p90 < 1e-5, 0.0, 0.8 ** (1 / gamma) / p90.clamp_min(1e-5))
    return scale.nan_to_num(nan=1.0)


def tonemap(rgb: Tensor, valid: Tensor | None = None, gamma: float = 1.0) -> Tensor:
    """``[B,3,H,W]`` high dynamic range → the same in [0,1], scaled by :func:`tonemap_scale`,
    highlights clipped."""
    return (rgb * tonemap_scale(rgb, valid, gamma)).clamp_min(0).pow(gamma).clamp(0, 1)


def shading_from_albedo(
    photo: Tensor, albedo: Tensor, epsilon: float = 1e-8, clip: bool = True
) -> Tensor:
    """The gray shading ``[B,1,H,W]`` that explains ``photo`` best, by least squares over channels:
    ``sum(I A) / (sum(A²) + epsilon)``; in [0,1] if ``clip``."""
    shading = (photo * albedo).sum(-3, keepdim=True) / (
        albedo.square().sum(-3, keepdim=True) + epsilon
    )
    return shading.clamp(0, 1) if clip else shading


def square(image: Tensor, size: int) -> Tensor:
    """``[B,C,H,W]`` → the central ``[B,C,size,size]`` after the short side became ``size``:
    bilinear and without antialiasing, as the networks were trained."""
    height, width = image.shape[-2:]
    short = min(height, width)
    shape = (int(size * height / short), int(size * width / short))
    image = F.interpolate(image, shape, mode="bilinear", align_corners=False)
    top, left = (shape[0] - size) // 2, (shape[1] - size) // 2
    return image[..., top : top + size, left : left + size]


class Hypersim(TrainingReader):
    """Frames that ``iid datasets prepare hypersim`` (or the published scripts) made:
    ``frame.NNNN.ldr.exr`` (or ``reconstructed_ldr``), ``diffuse_reflectance`` and ``shading``,
    linear light.

    A tenth of the scenes (``ai_XXX_XXX``), chosen by a hash of their names, is ``val``: our rule;
    the published split is a random tenth of the frames, where neighbours of a test frame are
    trained on."""

    name = "hypersim"
    protocol = "hypersim"
    offers = frozenset({"photo", *FACTORS, "mask"})

    def __init__(self, folder: Path) -> None:
        found = sorted(
            path for kind in PHOTOS for path in folder.glob(f"ai_*/images/*/frame.*.{kind}.exr")
        )
        if not found:
            refuse_empty("prepared Hypersim frames", folder, LAYOUT)
        self._folder = folder
        require_files(
            "Hypersim",
            folder,
            [_beside(path, name) for path in found for name in STORED.values()],
            LAYOUT,
        )
        scenes = {path: path.relative_to(folder).parts[0] for path in found}
        first = min(set(scenes.values()), key=share)
        held = [path for path in found if scenes[path] == first or share(scenes[path]) < 0.1]
        self._entries: dict[Split, list[Path]] = {
            "val": held,
            "train": [path for path in found if path not in held] or found,
        }

    def _case(self, entry: Any) -> Case:
        photo = read_photo(entry).pixels
        truth = {layer: read_layer(_beside(entry, name), "auto") for layer, name in STORED.items()}
        name = "_".join((*entry.relative_to(self._folder).parts[::2], entry.name.split(".")[1]))
        mask = (truth["albedo"].max(-1) > 0) & (truth["shading"].max(-1) > 0)
        return Case(name, photo, truth, mask)


def _beside(path: Path, kind: str) -> Path:
    return path.with_name(f"{'.'.join(path.name.split('.')[:2])}.{kind}.exr")


def open_hypersim(path: Path) -> Hypersim:
    """The prepared frames below ``path``."""
    return Hypersim(path)
