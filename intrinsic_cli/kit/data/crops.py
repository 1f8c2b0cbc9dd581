"""Squares cut from whole cases: what a network trains on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from intrinsic_cli.api import Case
from intrinsic_cli.kit.files.opencv import cv2

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch

Image = NDArray[np.float32]
#: Planes [S,S,C] by name; ``mask`` [S,S,1] is 1 where the truth can be learned from.
Sample = dict[str, Image]

_SMALLEST = 0.55  # of the shorter side: the smallest square a training crop is cut from
WHITE, DARK = 0.98, 2e-3  # a photo clips above, a shading is too dark to learn from below


def middle_square(case: Case, side: int) -> Sample:
    """The largest square in the middle, resized to ``side``."""
    height, width = case.mask.shape
    return _cut(case, *middle_window(height, width), side)


def random_square(case: Case, side: int, rng: np.random.Generator) -> Sample:
    """A random square, resized to ``side`` and mirrored half of the time."""
    height, width = case.mask.shape
    sample = _cut(case, *random_window(height, width, rng), side)
    return sample if rng.random() < 0.5 else mirror(sample)


def middle_window(height: int, width: int) -> tuple[int, int, int]:
    """(top, left, size) of the largest square in the middle."""
    size = min(height, width)
    return (height - size) // 2, (width - size) // 2, size


def random_window(height: int, width: int, rng: np.random.Generator) -> tuple[int, int, int]:
    """(top, left, size) of a random square, not much smaller than the largest."""
    size = max(1, round(min(height, width) * rng.uniform(_SMALLEST, 1)))
    return int(rng.integers(height - size + 1)), int(rng.integers(width - size + 1)), size


def mirror(sample: Sample) -> Sample:
    """Left to right; the x of normals turns with it."""
    mirrored = {name: x[:, ::-1] for name, x in sample.items()}
    if "normals" in mirrored:
        mirrored["normals"] = mirrored["normals"] * np.array([-1, 1, 1], np.float32)
    return mirrored


def resize(x: Image, side: int) -> Image:
    """[H,W] or [H,W,C] → a square of ``side``: by area when it shrinks, bilinear when it grows."""
    method = cv2.INTER_AREA if x.shape[0] > side else cv2.INTER_LINEAR
    return np.asarray(
        cv2.resize(np.ascontiguousarray(x), (side, side), interpolation=method), np.float32
    )


def collate(samples: Sequence[Sample]) -> Batch:
    """Samples of one size → named tensors [B,C,S,S]."""
    stacked = {
        name: np.stack([sample[name] for sample in samples]).transpose(0, 3, 1, 2)
        for name in samples[0]
    }
    return {name: torch.from_numpy(np.ascontiguousarray(x)) for name, x in stacked.items()}


def _cut(case: Case, top: int, left: int, size: int, side: int) -> Sample:
    """A square of the case as ``side``×``side`` planes [H,W,C]; the mask leaves out what training
    cannot use."""
    window = np.s_[top : top + size, left : left + size]
    whole = {"photo": case.photo, **case.truth}
    sample = {
        name: resize(np.broadcast_to(x[window], (size, size, 3)), side) for name, x in whole.items()
    }
    known = resize(case.mask[window].astype(np.float32), side) > 0.99
    known &= sample["photo"].max(-1) < WHITE
    if "shading" in sample:
        known &= sample["shading"].min(-1) > DARK
    return sample | {"mask": known[..., None].astype(np.float32)}
