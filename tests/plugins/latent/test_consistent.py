"""Drawn layers, brought to multiply to the photo in the colours it says light has, or to add up to
it."""

from __future__ import annotations

import torch

from iid_latent.shared.consistent import adding_up, coloured


def test_layers_make_the_photo_and_a_blue_shadow_is_light() -> None:
    light = torch.full((1, 3, 40, 40), 0.9)
    light[..., 20:] = torch.tensor([0.10, 0.145, 0.22]).view(1, 3, 1, 1)
    photo = 0.5 * light
    drawn = light.log().mean(1, keepdim=True)
    gray = drawn.exp().expand_as(light)
    albedo, shading = coloured(photo, torch.full_like(light, 0.5), gray)
    assert torch.allclose(albedo * shading, photo, rtol=1e-4)
    blue = (shading[:, 2] / shading[:, 0])[..., 22:30]
    lit = (shading[:, 2] / shading[:, 0])[..., 10:18]
    assert float((blue / lit).min()) > 1.3


def test_what_summands_miss_is_shared_in_proportion() -> None:
    photo = torch.full((1, 3, 2, 2), 0.8)
    most, least = torch.full_like(photo, 0.3), torch.full_like(photo, 0.1)
    transmission, reflection = adding_up(photo, [most, least])
    assert torch.allclose(transmission, torch.full_like(photo, 0.6))
    assert torch.allclose(reflection, torch.full_like(photo, 0.2))


def test_black_photos_have_black_summands() -> None:
    black = torch.zeros(1, 3, 2, 2)
    assert all(float(layer.max()) == 0 for layer in adding_up(black, [black + 0.5, black]))
