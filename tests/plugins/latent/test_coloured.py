"""Drawn layers that multiply to the photo, in the colours the photo says light has."""

from __future__ import annotations

import torch

from iid_latent.shared.consistent import coloured


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
