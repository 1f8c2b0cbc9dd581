"""Light and paint told apart, textures painted from photos, and pictures of what was painted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from iid_mesh.fit import Fitted, fit
from iid_mesh.light import STRONGEST, Light, fit_light
from iid_mesh.render.camera import anchors
from iid_mesh.rendering import render, turntable
from iid_mesh.surface import TILE, Surface
from iid_mesh.template import icosphere
from iid_mesh.texture import WIDEST, Painted, atlas, paint, width_for

from .objects_drawn import name_of, photo

SIDE = 64
WIDTH = 256


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    return fit(planes()[3], 40)


@pytest.fixture(scope="module")
def painted(fitted: Fitted) -> Painted:
    given = planes()
    return paint(surface(fitted), given[:3], given[3], WIDTH)


def planes() -> Tensor:
    """The photo [4,S,S] of the object with four colours."""
    return torch.from_numpy(photo(SIDE)).permute(2, 0, 1).contiguous()


def surface(made: Fitted) -> Surface:
    return Surface.of(made.vertices, made.camera, icosphere())


def ball() -> Surface:
    """A sphere seen from its side."""
    camera = torch.cat([torch.tensor([0.8, 0.0, 0.0]), anchors(1)[0]])
    return Surface.of(icosphere().vertices, camera, icosphere())


def lit(light: Light, albedo: float = 0.5) -> tuple[Tensor, Tensor]:
    """A photo [3,S,S] of the ball under a light, and where it is [S,S]."""
    seen = ball().visible(SIDE)
    shading = light.shading(ball().normals_at(seen))[0]
    plane = torch.where(seen.mask[0], albedo * shading, 0)
    return plane.expand(3, -1, -1).contiguous(), seen.mask[0].float()


def test_a_lamp_is_found() -> None:
    generator = torch.Generator().manual_seed(0)
    normals = F.normalize(torch.randn(3000, 3, generator=generator), dim=1)
    normals[:, 2] = normals[:, 2].abs()
    true = Light(torch.tensor([0.3, 0.4, 0.2]))
    paint_of = 0.2 + 0.3 * torch.rand(3000, 1, generator=generator).expand(-1, 3)
    found = fit_light(paint_of * true.shading(normals)[:, None], normals)
    assert F.cosine_similarity(found.direction, true.direction, dim=0) > 0.97
    assert found.direction.norm() == pytest.approx(float(true.direction.norm()), rel=0.35)


def test_no_lamp_is_stronger_than_plausible() -> None:
    normals = F.normalize(torch.randn(500, 3), dim=1)
    found = fit_light(normals[:, :1].clamp_min(0).expand(-1, 3), normals)
    assert found.direction.norm() <= STRONGEST + 1e-6
    assert fit_light(torch.zeros(0, 3), torch.zeros(0, 3)).direction.norm() == 0
    assert fit_light(torch.zeros(9, 3), normals[:9]).direction.isfinite().all()


def test_light_is_divided_out() -> None:
    """One paint all over, lit from above: the texture is even where the photo was not."""
    colours, mask = lit(Light(torch.tensor([0.2, 0.6, 0.1])))
    made = paint(ball(), colours, mask, WIDTH)
    known = colours[0][mask > 0]
    assert known.std() / known.mean() > 0.15
    assert made.texture.std() / made.texture.mean() < 0.06


def test_the_photo_is_found_again_on_the_surface(fitted: Fitted, painted: Painted) -> None:
    made = render(surface(fitted), painted, SIDE)
    both = (made.mask[0] > 0) & (planes()[3] > 0.5)
    error = (made.render - planes()[:3]).abs().mean(0)[both]
    assert error.median() < 0.02
    assert torch.equal(made.render, made.albedo * made.shading)
    outside = made.mask[0] == 0
    assert (made.albedo[:, outside] == 0).all()
    assert (made.shading[:, outside] == 1).all()


def test_no_texel_is_left_empty(painted: Painted) -> None:
    assert painted.texture.min() > 0.001
    assert painted.texture.max() <= 1
    assert torch.isfinite(painted.texture).all()


def test_the_seam_is_whole(painted: Painted) -> None:
    margin = painted.chart.margin
    assert torch.equal(painted.texture[:, :margin], painted.texture[:, -margin:])
    assert painted.texture.shape == (WIDTH // 2, WIDTH + margin, 3)


def test_the_hidden_side_is_the_mirror_image(painted: Painted) -> None:
    """u runs around the object: what is as far behind the seam as before it is equal."""
    texture = painted.texture[:, :WIDTH].numpy()
    assert np.abs(texture - texture[:, ::-1]).mean() < 0.02


def test_what_is_seen_itself_is_not_mixed_with_its_mirror_image() -> None:
    """A sphere seen along its mirror plane: its left is red, its right is green."""
    camera = torch.cat([torch.tensor([0.8, 0.0, 0.0]), anchors(4)[1]])
    front = Surface.of(icosphere().vertices, camera, icosphere())
    colours = torch.zeros(3, SIDE, SIDE)
    colours[0, :, : SIDE // 2] = 0.6
    colours[1, :, SIDE // 2 :] = 0.6
    mask = front.visible(SIDE).mask[0].float()
    seen = render(front, paint(front, colours, mask, WIDTH), SIDE).render
    left, right = seen[:, 32, 20], seen[:, 32, 44]
    assert left[0] > 10 * left[1]
    assert right[1] > 10 * right[0]


def test_the_turntable_shows_both_sides(fitted: Fitted, painted: Painted) -> None:
    even = replace(painted, light=Light(torch.zeros(3)))
    film = turntable(surface(fitted), even, 4, 48)
    assert film.shape == (4, 48, 48, 3)
    assert torch.isfinite(film).all()
    front, _, back, _ = film
    assert (front - back.flip(1)).abs().mean() < 0.02
    assert name_of(front[20, 12]) == (-1, 1)
    assert name_of(back[20, 36]) == (-1, 1)


def test_large_pictures_are_put_together_from_tiles() -> None:
    size = TILE + 40
    whole = ball().visible(size).face[0]
    joined = torch.full_like(whole, -2)
    for rows, columns, seen in ball().tiles(size):
        part = joined[rows, columns]
        part.copy_(seen.face[0, : part.shape[0], : part.shape[1]])
    assert (joined != whole).float().mean() < 1e-4


def test_textures_grow_with_the_object() -> None:
    assert [width_for(side) for side in (10, 128, 129, 500, 9000)] == [256, 256, 512, 1024, WIDEST]
    made = atlas(WIDTH)
    used = made.face[:, :WIDTH] >= 0
    used[:, : made.chart.margin] |= made.face[:, WIDTH:] >= 0
    assert used[8:-8].float().mean() > 0.999


def test_a_bright_photo_stays_within_white() -> None:
    colours, mask = lit(Light(torch.zeros(3)), albedo=3.0)
    made = paint(ball(), colours, mask, WIDTH)
    assert made.texture.max() <= 1
    again = render(ball(), made, SIDE).render
    assert again[:, SIDE // 2, SIDE // 2].mean() == pytest.approx(3.0, rel=0.02)
