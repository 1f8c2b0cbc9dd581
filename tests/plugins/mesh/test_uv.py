"""Directions and places in a texture; charts for meshes on disk."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from iid_mesh.template import Template, icosphere
from iid_mesh.uv import (
    at_points,
    both_sides,
    centres,
    chart,
    face_lattice,
    lookup,
    on_faces,
    on_surface,
    painted,
    spherical,
    with_margin,
)

FIXTURES = Path(__file__).parents[2] / "fixtures" / "mesh"


@pytest.fixture(scope="module")
def sphere() -> Template:
    return icosphere()


@pytest.mark.parametrize(
    ("direction", "uv"),
    [
        ((1.0, 0.0, 0.0), (0.0, 0.0)),
        ((0.0, 2.0, 0.0), (0.5, 0.0)),
        ((0.0, -1.0, 0.0), (-0.5, 0.0)),
        ((-1.0, 0.0, 1.0), (1.0, -0.5)),
        ((1.0, 0.0, -1.0), (0.0, 0.5)),
    ],
)
def test_places_of_known_directions(direction: tuple[float, ...], uv: tuple[float, ...]) -> None:
    assert spherical(torch.tensor(direction)).allclose(torch.tensor(uv), atol=1e-6)


def test_gradients_are_finite_at_the_poles() -> None:
    poles = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]], requires_grad=True)
    uv = spherical(poles)
    uv.sum().backward()
    assert uv[:, 1].allclose(torch.tensor([-1.0, 1.0]), atol=1e-5)
    assert poles.grad is not None
    assert poles.grad.isfinite().all()


def test_centres_of_texels_find_their_texels() -> None:
    texture = torch.rand(2, 3, 8, 16)
    directions = centres(8, 16).movedim(-1, 0).expand(2, -1, -1, -1)
    assert on_surface(texture, directions).allclose(texture, atol=1e-5)


def test_the_seam_is_closed() -> None:
    """Just beside it, on either side, a look-up gives the mean of the last and the first column."""
    texture = torch.rand(1, 1, 4, 8)
    v = (torch.arange(4) + 0.5) / 2 - 1
    mean = (texture[..., 0] + texture[..., -1]) / 2
    for u in (-1.0, 1.0, -1 + 1e-6, 1 - 1e-6, 3.0):
        uv = torch.stack([torch.full((4,), u), v], -1)[None, :, None]
        assert lookup(texture, uv)[..., 0].allclose(mean, atol=1e-5)


def test_points_are_looked_up_one_by_one() -> None:
    texture = torch.rand(2, 3, 8, 16)
    points = 3 * centres(8, 16)[2:4, 5]
    found = at_points(texture, points)
    assert found.shape == (2, 2, 3)
    assert found.allclose(texture[:, :, 2:4, 5].transpose(1, 2), atol=1e-5)


def test_both_sides_are_mirror_images(sphere: Template) -> None:
    texture = both_sides(torch.rand(1, 3, 8, 8))
    found = at_points(texture, sphere.vertices)
    assert found.allclose(found[:, sphere.mirror], atol=1e-4)


def test_textures_have_the_photos_colours() -> None:
    photos = torch.rand(1, 3, 6, 6)
    x, y = 2.5 / 6 * 2 - 1, 4.5 / 6 * 2 - 1
    flow = torch.tensor([x, y]).view(1, 2, 1, 1).expand(1, 2, 4, 8)
    assert painted(photos, flow).allclose(photos[:, :, 4:5, 2:3].expand(1, 3, 4, 8), atol=1e-6)


def test_the_lattice_is_the_published_one(sphere: Template) -> None:
    """u has no value at the poles, and its sign is a toss-up behind the seam."""
    truth = torch.from_numpy(np.load(FIXTURES / "fixture_template.npz")["uv_sampler"])
    mine = face_lattice(sphere)
    assert mine.shape == truth.shape
    apart = (mine - truth).abs()
    around = torch.minimum(apart[..., 0], 2 - apart[..., 0])
    pole = truth[..., 1].abs() > 1 - 1e-3
    assert apart[..., 1].max() < 1e-5
    assert around[~pole].max() < 1e-5


def test_left_faces_read_what_right_ones_read(sphere: Template) -> None:
    flow = torch.rand(2, 2, 16, 32)
    found = on_faces(flow, face_lattice(sphere), sphere)
    assert found.shape == (2, 1280, 6, 6, 2)
    right = slice(sphere.self_mirrored, sphere.half_faces)
    assert found[:, sphere.half_faces :].equal(found[:, right])


@pytest.mark.parametrize("width", [32, 256])
def test_no_face_of_a_chart_reaches_across_the_texture(sphere: Template, width: int) -> None:
    made = chart(sphere, width)
    corners = made.uv[made.faces]
    assert corners.min() >= 0
    assert corners.max() <= 1
    assert np.ptp(corners[..., 0], axis=1).max() < 0.25
    assert len(made.uv) < 760


def test_a_chart_shows_what_a_look_up_shows(sphere: Template) -> None:
    """At the corners, and at the middle of faces away from the poles, where u is uneven."""
    width = 256
    made = chart(sphere, width)
    texture = _smooth_texture(width)
    corners = torch.from_numpy(made.uv[made.faces])
    middle = corners.mean(1)
    directions = sphere.vertices[sphere.outward].mean(1)
    flat = directions[:, 2].abs() < 0.7
    shown = _seen_by_a_viewer(with_margin(texture, made.margin), middle[flat])
    truth = at_points(texture, directions[flat])
    assert shown.allclose(truth[0], atol=0.02)
    off_axis = sphere.vertices[sphere.outward][..., 2].abs().lt(0.999)
    shown = _seen_by_a_viewer(with_margin(texture, made.margin), corners[off_axis])
    truth = at_points(texture, sphere.vertices[sphere.outward][off_axis])
    assert shown.allclose(truth[0], atol=0.01)


def _smooth_texture(width: int) -> Tensor:
    """[1,3,h,w] without a jump at the seam."""
    x, y, z = centres(width // 2, width).movedim(-1, 0)
    return torch.stack([x * y + z, y - x, z * z + x])[None] / math.sqrt(3)


def _seen_by_a_viewer(texture: Tensor, uv: Tensor) -> Tensor:
    """As OBJ says: v from below, no wrapping. [N,2] → [N,3]."""
    grid = torch.stack([2 * uv[:, 0] - 1, 1 - 2 * uv[:, 1]], -1)
    found = torch.nn.functional.grid_sample(
        texture, grid[None, None], padding_mode="border", align_corners=False
    )
    return found[0, :, 0].T
