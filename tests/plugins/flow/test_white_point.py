"""What counts as white: the photo's exposure and a part of its cast."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from iid_flow.white_point import light_cast, white_point
from intrinsic_cli.kit.light.exposure import exposure

WARM = torch.tensor([1.15, 1.0, 0.85]).view(1, 3, 1, 1)


def patches(seed: int, side: int = 96) -> Tensor:
    """Squares of gray paint between .05 and .6."""
    generator = torch.Generator().manual_seed(seed)
    paint = 0.05 + 0.55 * torch.rand(1, 1, side // 12, side // 12, generator=generator)
    squares = paint.repeat_interleave(12, 2)
    squares = squares.repeat_interleave(12, 3)
    return squares.expand(1, 3, side, side).clone()


def centred(cast: Tensor) -> Tensor:
    logarithms = cast.log().flatten()
    return logarithms - logarithms.mean()


def test_gray_and_flat_photos_have_no_cast() -> None:
    one = torch.ones(1, 3, 1, 1)
    assert torch.allclose(light_cast(patches(0)), one, atol=1e-5)
    red = torch.tensor([0.6, 0.1, 0.1]).view(1, 3, 1, 1)
    assert torch.allclose(light_cast(red.expand(1, 3, 32, 32)), one, atol=1e-5)
    assert torch.allclose(light_cast(torch.zeros(1, 3, 32, 32)), one, atol=1e-5)


def test_of_a_mild_cast_over_gray_paint_six_tenths_are_light() -> None:
    found = light_cast(patches(1) * WARM)
    assert torch.allclose(centred(found), 0.6 * centred(WARM), atol=1e-3)
    assert float(found.log().mean()) == pytest.approx(0, abs=1e-6)


def test_a_strong_cast_is_not_all_believed() -> None:
    red = torch.tensor([1.5, 0.3, 0.2]).view(1, 3, 1, 1)
    found = light_cast(patches(2) * red)
    assert float(centred(found).norm()) == pytest.approx(0.28, abs=1e-3)
    assert torch.allclose(
        centred(found) / centred(found).norm(), centred(red) / centred(red).norm(), atol=1e-2
    )


def test_a_large_flat_colour_is_no_cast() -> None:
    """Gray-world statistics would turn the photo blue."""
    photo = patches(3)
    photo[..., :60, :] = torch.tensor([0.5, 0.1, 0.05]).view(1, 3, 1, 1)
    colour = photo.mean((2, 3), keepdim=True)
    edges = centred(light_cast(photo)).norm()
    assert float(edges) < 0.3 * float(0.6 * centred(colour).norm())


def test_clipped_edges_are_not_asked_unless_the_photo_goes_beyond_white() -> None:
    lamp = patches(4)
    lamp[..., 40:56, 40:56] = torch.tensor([1.0, 0.4, 0.1]).view(1, 3, 1, 1)
    assert torch.allclose(light_cast(lamp), torch.ones(1, 3, 1, 1), atol=1e-2)
    beyond = light_cast(lamp * 1.5)
    assert float(centred(beyond).norm()) > 0.05


def test_it_follows_exposure_and_each_photo_of_a_batch_by_itself() -> None:
    warm, gray = patches(5) * WARM, patches(6)
    assert torch.allclose(white_point(warm / 3), white_point(warm) / 3, rtol=1e-4)
    both = white_point(torch.cat([warm, gray]))
    assert torch.allclose(both[:1], white_point(warm), rtol=1e-5)
    assert torch.allclose(both[1:], exposure(gray).expand(1, 3, 1, 1), rtol=1e-4)
