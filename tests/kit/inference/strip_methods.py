"""A method with layers of every kind, and photos for it, as files."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from intrinsic_cli.api import Decomposer, Frame
from intrinsic_cli.kit.files.photo_rows import PhotoRows, open_rows

NAMES = {
    "divide": ("albedo", "shading", "residual", "normals", "depth"),
    "subtract": ("transmission", "reflection", "flare", "mask"),
    "resize": ("albedo", "shading"),
}


class Toy(Decomposer):
    """Layers of every kind at half the size it is shown, made of the photo's blurred channels."""

    def __init__(self, upsample: Literal["divide", "subtract", "resize"], alpha: bool) -> None:
        self.frame = Frame(size=48, multiple=8, upsample=upsample, alpha=alpha)
        self.names = NAMES[upsample]

    def __call__(self, photos: Tensor) -> Mapping[str, Tensor]:
        small = torch.nn.functional.avg_pool2d(photos, 2)
        red, green, blue = (small[:, index : index + 1] for index in range(3))
        seen = small[:, 3:] if self.frame.alpha else torch.ones_like(red)
        made = {
            "albedo": small[:, :3] * 0.5 + 0.2,
            "shading": (red + blue).sqrt() * 1.7 * seen + 0.01,
            "residual": (green - red) * 0.1,
            "normals": torch.cat([red - 0.5, green - 0.5, torch.ones_like(red)], 1),
            "depth": 3 * green,
            "transmission": small[:, :3] * 0.4,
            "reflection": small[:, :3] * 0.5,
            "flare": blue * 0.3,
            "mask": red,
        }
        return {name: made[name] for name in self.names}


def picture(mode: str, height: int = 203, width: int = 157) -> bytes:
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 256, (21, 16, len(mode)), np.uint8)
    image = Image.fromarray(codes.squeeze()).resize((width, height), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def opened(data: bytes) -> PhotoRows:
    rows = open_rows(data, "auto")
    assert rows is not None
    return rows
