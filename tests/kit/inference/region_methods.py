"""Photos, and methods that look at the regions they are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from intrinsic_cli.api import Decomposer, Frame, Outputs, Region, Runtime
from intrinsic_cli.kit.files.photo import Photo

CPU = Runtime(torch.device("cpu"))
Array = NDArray[Any]


def photo(height: int, width: int, seed: int = 0, gain: float = 1.0) -> Photo:
    pixels = np.random.default_rng(seed).uniform(0.05, 1, (height, width, 3)) * gain
    return Photo(pixels.astype(np.float32))


def smooth(height: int, width: int) -> Photo:
    """A photo whose pixels hardly differ from their neighbours', so that turning loses little."""
    y, x = np.mgrid[:height, :width] / 16
    planes = [0.5 + 0.4 * np.sin(x + k) * np.cos(y - k) for k in range(3)]
    return Photo(np.stack(planes, axis=2).astype(np.float32))


class Looks(Decomposer):
    """Sees the regions it is told; shading is brightness, normals and mask follow the columns."""

    def __init__(self, *regions: Region, frame: Frame | None = None) -> None:
        self.frame = frame or Frame()
        self.found: Sequence[Region] | None = regions
        self.seen: list[tuple[int, ...]] = []

    def regions(self, photo: Array) -> Sequence[Region] | None:
        return self.found

    def __call__(self, photos: Tensor) -> Outputs | Mapping[str, Tensor]:
        self.seen.append(tuple(photos.shape))
        shading = photos.mean(1, keepdim=True) + 0.1
        slope = torch.linspace(-0.8, 0.8, photos.shape[-1]).expand_as(shading)
        normals = torch.cat([slope, 0.3 * torch.ones_like(slope), torch.ones_like(slope)], 1)
        return {
            "albedo": photos / shading,
            "shading": shading,
            "normals": functional.normalize(normals, dim=1),
            "mask": torch.ones_like(shading),
            "depth": shading * 2,
        }


class Resizes(Looks):
    """Its layers are pasted as they are."""

    def __init__(self, *regions: Region) -> None:
        super().__init__(*regions, frame=Frame(upsample="resize"))
