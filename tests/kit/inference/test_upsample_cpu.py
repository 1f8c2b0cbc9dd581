"""The quick way on the CPU gives the numbers of the formula."""

from __future__ import annotations

import pytest
import torch

from intrinsic_cli.kit.inference import upsample_cpu
from intrinsic_cli.kit.light import resize, upsample

MAPS = torch.Generator().manual_seed(3)


def picture(channels: int, height: int, width: int) -> torch.Tensor:
    coarse = torch.rand(1, channels, 7, 9, generator=MAPS)
    return resize.resize(coarse, (height, width)) ** 2


@pytest.mark.parametrize("size", [(203, 157), (90, 400)])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_quick_way_gives_the_numbers_of_the_formula(
    channels: int, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resize, "BAND_PIXELS", 9000)
    photo, shading = picture(3, *size), picture(channels, 50, 60) * 1.5
    photo[..., :40, :40] = 0  # black
    meant = upsample.upsample_shading(photo, shading)
    found = upsample_cpu.upsample_shading(photo, shading)
    assert found.shape == meant.shape
    assert torch.allclose(found, meant, rtol=1e-4, atol=1e-6)
    rows = slice(11, 30)
    maps = upsample.shading_maps(resize.resize(photo, (50, 60)), shading)
    band = upsample_cpu.shading_rows(maps, photo[:, :, rows], rows, size)
    assert torch.allclose(band, meant[:, :, rows], rtol=1e-4, atol=1e-6)


def test_a_shading_of_full_size_is_taken_as_it_is() -> None:
    photo, shading = picture(3, 20, 30), picture(1, 20, 30)
    found = upsample_cpu.upsample_shading(photo, shading)
    assert torch.equal(found, shading.clamp(min=upsample.FLOOR))
