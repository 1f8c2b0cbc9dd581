"""Reflectance smoothness against reference numbers and a restatement pixel by pixel."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from iid_latent.usi3d.original.smoothness import features, likeness, losses, smoothness


def test_reference(shared_file: Callable[[str], Path]) -> None:
    archive = np.load(shared_file("smoothness.npz"))
    photo = torch.from_numpy(archive["img"]).permute(2, 0, 1)[None]
    reflectance = torch.from_numpy(archive["R"])
    for k in range(4):
        near = likeness(features(photo)[..., :: 1 << k, :: 1 << k])[:, 0]
        torch.testing.assert_close(near, torch.from_numpy(archive[f"r_w_s{k}"]), atol=1e-5, rtol=0)
    assert torch.stack(list(losses(reflectance, photo))).numpy() == pytest.approx(
        archive["loss_scale"], abs=1e-6
    )
    assert smoothness(reflectance, photo).item() == pytest.approx(float(archive["loss"]), abs=1e-6)


def by_hand(reflectance: Tensor, photo: Tensor) -> float:
    """The finest scale of one image, in loops."""
    linear = (
        (photo.double() + 0.055) / 1.055
    ) ** 2.4  # no pixel of this photo is on the linear part
    total = linear.sum(0) + 1e-6
    f = torch.stack([linear[0] / total, linear[1] / total, total / 3])
    height, width = photo.shape[-2:]
    found = 0.0
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            for dy, dx in ((a, b) for a in (-1, 0, 1) for b in (-1, 0, 1)):
                d = f[:, y, x] - f[:, y + dy, x + dx]
                weight = math.exp(-(d[0] ** 2 + d[1] ** 2) / 0.025**2 - d[2] ** 2 / 0.1**2)
                gap = (reflectance[:, y, x] - reflectance[:, y + dy, x + dx]).abs().sum().item()
                found += weight * gap / (3 * (height - 2) * (width - 2))
    return found / (8 * 3)


def test_restatement() -> None:
    generator = torch.Generator().manual_seed(0)
    photo = 0.5 + 0.1 * torch.rand(2, 3, 9, 8, generator=generator)
    reflectance = torch.rand(2, 3, 9, 8, generator=generator)
    expected = sum(by_hand(reflectance[i], photo[i]) for i in range(2)) / 2
    assert next(losses(reflectance, photo)).item() == pytest.approx(expected, rel=1e-4)


def test_flat_reflectance_costs_nothing_and_black_is_finite() -> None:
    black = torch.zeros(1, 3, 20, 20)
    assert smoothness(torch.full((1, 3, 20, 20), 0.4), black).item() == 0
    assert torch.isfinite(smoothness(torch.rand(1, 3, 20, 20), black))
