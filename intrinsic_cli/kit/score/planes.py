"""The planes that protocols work on: [B,C,H,W] float64, and what guess and truth must share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from intrinsic_cli.api.outputs import FACTORS

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.api.protocols import Answer, Scores


def batch(image: Image) -> Tensor:
    """[H,W] or [H,W,C] → [1,C,H,W] float64."""
    planes = image[..., None] if image.ndim == 2 else image
    channels_first = np.ascontiguousarray(planes.transpose(2, 0, 1), np.float64)
    return torch.from_numpy(channels_first)[None]


def gray(x: Tensor) -> Tensor:
    """[B,C,H,W] → the plain mean of the channels, [B,1,H,W]."""
    return x.mean(1, keepdim=True)


def comparable(guess: Tensor, truth: Tensor) -> Tensor:
    """A guess with as many channels as its truth, or one: colours are averaged where the truth is
    gray."""
    if guess.shape[1] in (1, truth.shape[1]):
        return guess
    return gray(guess)


def factors_in(answer: Answer) -> list[str]:
    """Which of albedo and shading were answered."""
    return [name for name in FACTORS if name in answer]


def named(name: str, **values: Tensor) -> Scores:
    """The metrics ``values`` [1] of one output as scores: ``albedo``, ``lmse=…`` →
    ``albedo_lmse``."""
    return {f"{name}_{metric}": value.item() for metric, value in values.items()}


def with_mean(scores: Scores, *metrics: str) -> Scores:
    """Put the mean of both factors' score in front, for each of ``metrics`` that both were
    given."""
    means: Scores = {}
    for metric in metrics:
        keys = [f"{name}_{metric}" for name in FACTORS]
        if all(key in scores for key in keys):
            means[metric] = sum(scores[key] for key in keys) / 2
    return {**means, **scores}
