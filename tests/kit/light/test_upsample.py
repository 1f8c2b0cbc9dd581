"""Shading full to full size: edges of light follow the photo, edges of paint stay in the
albedo."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from intrinsic_cli.kit.light.resize import resize
from intrinsic_cli.kit.light.upsample import (
    FLOOR,
    RADIUS,
    RIDGE,
    local_slope,
    split,
    upsample_rows,
    upsample_shading,
)

HEIGHT, WIDTH = 384, 512


@dataclass(frozen=True)
class Scene:
    """A checkerboard of two paints under a soft light with one sharp cast shadow. [1,C,H,W]."""

    photo: Tensor
    albedo: Tensor
    shading: Tensor
    shadow_edge: Tensor
    paint_edge: Tensor


@pytest.fixture(scope="module")
def scene() -> Scene:
    y, x = torch.meshgrid(torch.arange(HEIGHT).float(), torch.arange(WIDTH).float(), indexing="ij")
    board = ((y // 47 + x // 47) % 2)[None, None]
    albedo = torch.cat([0.25 + 0.5 * board, 0.3 + 0.3 * board, 0.6 - 0.3 * board], dim=1)
    side = y * 0.8 + x * 0.6 - 340
    soft = 0.7 + 0.3 * torch.sin(x / 90) * torch.cos(y / 110)
    light = (soft * torch.where(side > 0, 0.25, 1.0))[None, None]
    shading = light * torch.tensor([1.1, 1.0, 0.8])[None, :, None, None]
    paint = (
        functional.max_pool2d((board - functional.avg_pool2d(board, 3, 1, 1)).abs(), 9, 1, 4) > 0.1
    )
    return Scene(albedo * shading, albedo, shading, (side.abs() < 8)[None, None], paint)


def error(full: Tensor, truth: Tensor, where: Tensor) -> float:
    """Mean error of log shading."""
    return float((full.log() - truth.log()).abs().mean(dim=1, keepdim=True)[where].mean())


def small(scene: Scene, channels: int, blur: bool) -> Tensor:
    """What a network would give: the true shading at a quarter of the size, perhaps a little
    soft."""
    shading = resize(scene.shading, (HEIGHT // 4, WIDTH // 4))
    shading = (
        functional.avg_pool2d(functional.pad(shading, (1,) * 4, mode="replicate"), 3, 1)
        if blur
        else shading
    )
    return shading[:, 1:2] if channels == 1 else shading


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("blur", [False, True])
def test_beats_plain_enlarging_at_edges_and_inside(scene: Scene, channels: int, blur: bool) -> None:
    little = small(scene, channels, blur)
    truth = scene.shading if channels == 3 else scene.shading[:, 1:2]
    full, plain = upsample_shading(scene.photo, little), resize(little, (HEIGHT, WIDTH))
    at_edge = error(full, truth, scene.shadow_edge)
    assert at_edge < (0.85 if blur else 0.5) * error(plain, truth, scene.shadow_edge)
    everywhere = torch.ones_like(scene.shadow_edge)
    assert error(full, truth, everywhere) < (0.8 if blur else 0.6) * error(plain, truth, everywhere)
    # Where light is soft plain enlarging is as good as perfect; what the photo's paint adds there
    # must not be seen.
    assert error(full, truth, ~scene.shadow_edge) < 0.003


def test_paint_does_not_leak_into_the_light(scene: Scene) -> None:
    lit = scene.albedo * scene.shading[..., :1, :1]
    flat = torch.full((1, 1, HEIGHT // 4, WIDTH // 4), 0.7)
    assert torch.allclose(upsample_shading(lit, flat), torch.tensor(0.7), atol=1e-4), (
        "even light stays even"
    )
    away = scene.paint_edge & ~functional.max_pool2d(scene.shadow_edge.float(), 25, 1, 12).bool()
    assert error(upsample_shading(scene.photo, small(scene, 3, False)), scene.shading, away) < 0.01


def test_no_halo(scene: Scene) -> None:
    """Beside a shadow's edge the shading stays between that of the two sides."""
    white = scene.shading.mean(1, keepdim=True).expand(-1, 3, -1, -1)
    full = upsample_shading(white, resize(white, (HEIGHT // 4, WIDTH // 4))[:, :1])
    ratio = full / white[:, :1]
    assert float(ratio.quantile(0.001)) > 0.8
    assert float(ratio.quantile(0.999)) < 1.25


def test_no_seams_between_bands(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    little = small(scene, 3, False)
    whole = upsample_shading(scene.photo, little)
    monkeypatch.setattr("intrinsic_cli.kit.light.resize.BAND_PIXELS", WIDTH * 7)
    assert torch.allclose(upsample_shading(scene.photo, little), whole, atol=1e-6)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(3, 5), (1, 1), (97, 131), (16, 700), (33, 32)])
def test_albedo_times_shading_is_the_photo(channels: int, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    photo = torch.rand(2, 3, *size) ** 4
    photo[0, :, 0] = 0.0
    shading = torch.rand(2, channels, 32, 32)
    shading[1, :, 5:9] = 0.0
    full = upsample_shading(photo, shading)
    albedo = split(photo, full)
    assert full.shape == (2, channels, *size)
    assert float(full.min()) >= FLOOR * (1 - 1e-6)
    assert torch.isfinite(albedo).all()
    assert torch.allclose(albedo * full, photo, rtol=1e-6, atol=1e-7)


def test_same_size_is_kept() -> None:
    shading = torch.rand(1, 1, 20, 30) + 0.1
    assert torch.equal(upsample_shading(torch.rand(1, 3, 20, 30), shading), shading)


def test_black_photo() -> None:
    photo = torch.zeros(1, 3, 40, 60)
    shading = upsample_shading(photo, torch.full((1, 3, 10, 15), 0.3))
    assert torch.allclose(shading, torch.tensor(0.3), atol=1e-6)
    assert not split(photo, shading).any()


def test_slopes_lie_between_all_paint_and_all_light() -> None:
    torch.manual_seed(0)
    guide = torch.randn(1, 1, 16, 16)
    for layer, expected in ((2 * guide, 1.0), (-guide, 0.0), (torch.ones_like(guide), 0.0)):
        slope = local_slope(guide, layer, 2, 0.0)
        assert torch.allclose(slope, torch.tensor(expected), atol=1e-4)


def test_slopes_are_averaged_over_the_window() -> None:
    """Windows of columns 14 and on see nothing of the left side, where the layer is the guide;
    those of 13 see one that does, and after averaging so do those of 15."""
    torch.manual_seed(0)
    guide = torch.randn(1, 1, 16, 24)
    layer = guide.clone()
    layer[..., 12:] = 0
    slope = local_slope(guide, layer, 2, 0.0)
    assert float(slope[..., 15].min()) > 0.001
    assert float(slope[..., 16:].abs().max()) < 1e-5


@pytest.mark.parametrize("radius", [RADIUS, 5])
def test_a_contrast_as_large_as_the_ridge_is_half_believed(radius: int) -> None:
    """Four and a half percent about the mean."""
    rows = torch.arange(20).view(1, 1, -1, 1)
    contrast = math.sqrt(RIDGE)
    assert 0.04 < contrast < 0.05
    board = contrast * (1 - 2 * ((rows + torch.arange(20)) % 2))
    inside = local_slope(board, board, radius, RIDGE)[..., 6:-6, 6:-6]
    assert torch.allclose(inside, torch.tensor(0.5), atol=0.02)


def test_a_shadow_of_which_the_network_is_sure_leaves_little_in_albedo() -> None:
    """An eighth at most of a step of .5 in log light that the small shading has whole."""
    light = torch.ones(1, 3, 48, 96)
    light[..., 48:] = math.exp(-0.5)
    small = resize(light, (12, 24))
    albedo = split(light, upsample_shading(light, small))
    assert float(albedo.log().abs().max()) < 0.5 / 8


@pytest.mark.parametrize("small", [(9, 7), (30, 11), (1, 1)])
def test_rows_are_those_of_bilinear_enlarging(small: tuple[int, int]) -> None:
    maps = torch.rand(1, 5, *small)
    whole = functional.interpolate(maps, size=(61, 40), mode="bilinear", align_corners=False)
    for rows in (slice(0, 8), slice(8, 33), slice(33, 61)):
        found = upsample_rows(maps, rows, (61, 40))
        assert torch.allclose(found, whole[:, :, rows], atol=1e-6)
