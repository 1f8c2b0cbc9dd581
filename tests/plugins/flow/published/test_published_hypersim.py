"""The training photos' recipe against reference numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from intrinsic_cli.kit.data.hypersim.recipe import (
    shading_from_albedo,
    square,
    tonemap,
    tonemap_scale,
)


@pytest.fixture
def truth(fixture_file: Callable[[str], Mapping[str, Any]]) -> Callable[[str], Tensor]:
    """A reference picture as ``[1,C,H,W]``; files hold ``[H,W,C]`` or ``[H,W]``."""
    archive = fixture_file("hypersim")

    def picture(name: str) -> Tensor:
        x = torch.from_numpy(archive[name])
        if x.ndim == 0:
            return x.float()
        return (x[..., None] if x.ndim == 2 else x).permute(2, 0, 1)[None]

    return picture


def near(ours: Tensor, theirs: Tensor) -> None:
    torch.testing.assert_close(ours, theirs, atol=3e-6, rtol=3e-6)


def test_linear_tonemap(truth: Callable[[str], Tensor]) -> None:
    valid = truth("ids") != -1
    near(tonemap_scale(truth("hdr"), valid).squeeze(), truth("tm_linear_scale"))
    near(tonemap(truth("hdr"), valid), truth("tm_linear"))


def test_gamma_tonemap(truth: Callable[[str], Tensor]) -> None:
    near(tonemap_scale(truth("hdr"), gamma=1 / 2.2).squeeze(), truth("tm_gamma_scale"))
    near(tonemap(truth("hdr"), gamma=1 / 2.2), truth("tm_gamma"))


def test_shading_from_albedo(truth: Callable[[str], Tensor]) -> None:
    photo, albedo = truth("tm_linear"), truth("shading_in_albedo")
    near(shading_from_albedo(photo, albedo), truth("shading_eps1e-8"))
    near(shading_from_albedo(photo, albedo, clip=False), truth("shading_noclip"))


def test_square_resize(fixture_file: Callable[[str], Mapping[str, Any]]) -> None:
    archive = fixture_file("hypersim")
    near(
        square(torch.from_numpy(archive["resize_in"])[None], 32)[0],
        torch.from_numpy(archive["resize_out32"]),
    )


def test_black_and_invalid_photos_have_a_scale() -> None:
    photo = torch.cat([torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 4, 4)])
    mask = torch.cat([torch.ones(1, 1, 4, 4), torch.zeros(1, 1, 4, 4)])
    assert tonemap_scale(photo, mask).flatten().tolist() == [0.0, 1.0]
