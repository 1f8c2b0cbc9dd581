"""Dark places of the albedo: noise is not coloured, and the product is still the photo."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from intrinsic_cli.kit.light.colour import luminance
from intrinsic_cli.kit.light.dark import (
    BRIGHT,
    FLOORS,
    SPREAD,
    dark_colours,
    floored,
    mend_dark,
)
from intrinsic_cli.kit.light.upsample import split

NOISE = 0.002
SIDE = 96
GREEN, RED = (0.2, 0.5, 0.1), (0.6, 0.1, 0.1)


@dataclass(frozen=True)
class Scene:
    """Green paint left and red paint right, in shadow below; the photo has noise. [1,3,H,W]."""

    photo: Tensor
    albedo: Tensor
    shading: Tensor

    @property
    def dark(self) -> Tensor:
        """Where the shadow is, [H,W]."""
        return self.shading[0, 0] < 0.1


@pytest.fixture
def scene() -> Scene:
    torch.manual_seed(0)
    right = (torch.arange(SIDE) >= SIDE // 2).float().view(1, 1, 1, -1)
    green, red = (torch.tensor(paint).view(1, 3, 1, 1) for paint in (GREEN, RED))
    albedo = (green * (1 - right) + red * right).expand(1, 3, SIDE, SIDE).contiguous()
    below = (torch.arange(SIDE) >= SIDE // 2).float().view(1, 1, -1, 1)
    shading = (0.8 - 0.78 * below).expand(1, 3, SIDE, SIDE).contiguous()
    noisy = albedo * shading + NOISE * torch.randn(1, 3, SIDE, SIDE)
    return Scene(noisy.clamp(min=0.0), albedo, shading)


def mended(photo: Tensor, shading: Tensor, noise: float = NOISE) -> tuple[Tensor, Tensor]:
    """Albedo and shading as they are handed out."""
    shading = floored(shading, noise).clone()
    albedo = split(photo, shading)
    dark = dark_colours(photo, shading, noise)
    if dark is not None:
        mend_dark(photo, albedo, shading, dark)
    return albedo, shading


def colours(albedo: Tensor) -> Tensor:
    """Shares of red, green and blue."""
    return albedo / albedo.sum(1, keepdim=True).clamp(min=1e-6)


def test_dark_albedo_has_the_colour_of_its_paint_and_the_product_is_the_photo(
    scene: Scene,
) -> None:
    albedo, shading = mended(scene.photo, scene.shading)
    torch.testing.assert_close(albedo * shading, scene.photo, rtol=1e-5, atol=1e-7)
    truth = colours(scene.albedo)
    divided = colours(split(scene.photo, scene.shading))
    before = (divided - truth).abs().mean(1)[0][scene.dark].mean()
    after = (colours(albedo) - truth).abs().mean(1)[0][scene.dark].mean()
    assert float(after) < 0.65 * float(before)


def test_brightness_and_bright_places_stay(scene: Scene) -> None:
    albedo, shading = mended(scene.photo, scene.shading)
    plain = split(scene.photo, floored(scene.shading, NOISE))
    torch.testing.assert_close(luminance(albedo, 1), luminance(plain, 1), rtol=1e-4, atol=1e-6)
    bright = luminance(scene.photo, 1)[0, 0] > BRIGHT * NOISE / SPREAD
    assert torch.equal(albedo[0][:, bright], plain[0][:, bright])
    there, before = shading[0][:, bright], scene.shading[0][:, bright]
    torch.testing.assert_close(there, before, rtol=1e-6, atol=0)
    assert bright.any()
    assert not bright.all()


def test_black_background_stays_black(scene: Scene) -> None:
    photo = scene.photo.clone()
    photo[..., :20] = 0
    albedo, shading = mended(photo, scene.shading)
    assert not albedo[..., :20].any()
    before = floored(scene.shading, NOISE)[..., :20]
    torch.testing.assert_close(shading[..., :20], before, rtol=1e-6, atol=0)
    assert torch.isfinite(albedo).all()


def test_without_a_trusted_neighbour_albedo_is_gray() -> None:
    torch.manual_seed(0)
    photo = torch.rand(1, 3, 64, 64) * 1e-5
    albedo, _ = mended(photo, torch.full_like(photo, 1e-4), noise=1e-4)
    spread = albedo.amax(1) / albedo.amin(1)
    assert float(spread.median()) < 1.05


def test_colours_stay_in_an_albedo_that_is_darker_than_its_light() -> None:
    """A night sky: its red is below black, and its light is even."""
    photo = torch.tensor((0.0, 0.006, 0.018)).view(1, 3, 1, 1).expand(1, 3, 64, 64).clone()
    photo[..., 32:] *= torch.linspace(1, 8, 32)
    photo[:, 0, :, 40:] = 0.01
    light = torch.full_like(photo, 0.6)
    albedo, shading = mended(photo, light)
    torch.testing.assert_close(shading, light)
    torch.testing.assert_close(albedo * shading, photo)


def test_other_paint_lends_no_colour() -> None:
    """A black chair, gray to its noise, beside a bright orange suit."""
    torch.manual_seed(0)
    photo = torch.tensor((0.8, 0.3, 0.05)).view(1, 3, 1, 1).expand(1, 3, 64, 64).clone()
    photo[..., 32:] = 0.002 + 0.0005 * torch.rand(1, 3, 64, 32)
    albedo, _ = mended(photo, torch.full_like(photo, 0.8))
    chair = colours(albedo)[..., 33:]
    assert float((chair - 1 / 3).abs().max()) < 0.05


def test_shading_divides_by_no_less_than_the_noise_allows(scene: Scene) -> None:
    _, shading = mended(scene.photo, scene.shading * 1e-3)
    level = luminance(scene.photo, 1) / luminance(split(scene.photo, shading), 1)
    assert float(level[luminance(scene.photo, 1) > 0].min()) >= FLOORS * NOISE * 0.99
    assert torch.equal(floored(scene.shading, 0.0), scene.shading)


@pytest.mark.parametrize("brightest", [1e12, 1e22, 1e30])
def test_the_brightest_floats_spoil_nothing(brightest: float) -> None:
    photo = torch.full((1, 3, 16, 16), 0.01)
    photo[..., 3, 3] = brightest
    shading = photo.clone()
    dark = dark_colours(photo, shading, 0.01)
    assert dark is not None
    albedo = photo / shading
    mend_dark(photo, albedo, shading, dark)
    assert albedo.isfinite().all()
    assert shading.isfinite().all()


def test_nothing_is_done_where_nothing_can_be(scene: Scene) -> None:
    assert dark_colours(scene.photo, scene.shading, 0.0) is None, "a photo without noise"
    assert dark_colours(scene.photo, scene.shading[:, :1], NOISE) is None, "gray shading"
    assert dark_colours(scene.photo + 0.1, scene.shading, NOISE) is None, "nothing is dark"


def test_bands_and_layouts_make_no_difference(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    albedo, shading = mended(scene.photo, scene.shading)
    monkeypatch.setattr("intrinsic_cli.kit.light.resize.BAND_PIXELS", SIDE * 7)
    layered = scene.photo.contiguous(memory_format=torch.channels_last)
    again = mended(layered, scene.shading.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(again[0], albedo, rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(again[1], shading, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (2, 300)])
def test_any_size(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    photo = torch.rand(1, 3, *size) * 0.01
    albedo, shading = mended(photo, torch.full_like(photo, 0.05))
    torch.testing.assert_close(albedo * shading, photo, rtol=1e-5, atol=1e-8)
