"""Light as spherical harmonics: the basis, the axes, directions, rotations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from iid_residual import harmonics
from iid_residual.harmonics import angles, basis, direction, in_plane, rotated, shade, towards
from intrinsic_cli.kit.data.harmonics import shade as house_shade

FIXTURES = Path(__file__).parents[2] / "fixtures" / "residual"


def _light(seed: int = 0) -> torch.Tensor:
    light = torch.randn(2, 27, generator=torch.Generator().manual_seed(seed)) * 0.2
    light[:, [0, 9, 18]] += 1
    return light


def _normals(seed: int = 0) -> torch.Tensor:
    normals = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(seed))
    return harmonics.unit(normals)


def test_the_basis_is_the_published_one() -> None:
    fixture = np.load(FIXTURES / "sh_basis.npz")
    mine = basis(torch.from_numpy(fixture["n"])).numpy()
    np.testing.assert_allclose(mine, fixture["basis"], atol=1e-6)


def test_shading_takes_each_colours_own_nine_numbers() -> None:
    light = torch.zeros(1, 27)
    light[0, 9] = 1.0
    shading = shade(_normals()[:1], light)
    assert shading[:, [0, 2]].abs().max() == 0
    assert shading[:, 1].allclose(torch.tensor(0.8862269254527579))


def test_a_light_from_above_brightens_what_faces_up() -> None:
    """Outside y is up; inside x is down."""
    up = torch.tensor([0.0, 1.0, 0.0]).view(1, 3, 1, 1)
    inside = harmonics.vectors_from_house(up)
    assert inside.flatten().tolist() == [-1.0, 0.0, 0.0]
    above = torch.zeros(1, 27)
    above[0, [2, 11, 20]] = -1.0
    assert shade(inside, above).min() > 1
    assert shade(-inside, above).max() < -1


def test_the_direction_of_a_light_is_read_in_the_order_z_x_y() -> None:
    light = torch.zeros(1, 27)
    light[0, [1, 10, 19]], light[0, [2, 11, 20]], light[0, [3, 12, 21]] = 0.6, 0.0, 0.8
    assert direction(light)[0].allclose(torch.tensor([0.0, 0.8, 0.6]))


@pytest.mark.parametrize(
    ("azimuth", "elevation", "house"),
    [
        (0, 0, (0, 0, 1)),
        (90, 0, (1, 0, 0)),
        (0, 90, (0, 1, 0)),
        (-90, 0, (-1, 0, 0)),
        (180, 0, (0, 0, -1)),
        (0, -30, (0, -0.5, 0.8660254)),
    ],
)
def test_azimuth_is_the_pictures_right_and_elevation_above(
    azimuth: float, elevation: float, house: tuple[float, ...]
) -> None:
    outside = harmonics.vectors_to_house(towards(azimuth, elevation)[None])[0]
    assert outside.allclose(torch.tensor(house, dtype=torch.float32), atol=1e-6)
    back = angles(towards(azimuth, elevation))
    assert back[1] == pytest.approx(elevation, abs=1e-3)
    if abs(elevation) < 90:
        assert abs(back[0]) == pytest.approx(abs(azimuth), abs=1e-3)


def test_a_rotated_light_shades_rotated_normals_as_before() -> None:
    rotation = in_plane(37.0) @ torch.tensor([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])
    normals, light = _normals(), _light()
    turned = torch.einsum("ij,bjhw->bihw", rotation, normals)
    before, after = shade(normals, light), shade(turned, rotated(light, rotation))
    assert before.allclose(after, atol=1e-5)


def test_turning_the_picture_counter_clockwise_takes_right_to_up() -> None:
    right, up = towards(90, 0), towards(0, 90)
    assert (in_plane(90.0) @ right).allclose(up, atol=1e-6)
    assert (in_plane(90.0) @ up).allclose(-right, atol=1e-6)


def test_the_door_of_lights_agrees_with_that_of_normals() -> None:
    """Shading is the same on both sides of the door."""
    normals, light = _normals(), _light()
    inside = shade(harmonics.vectors_from_house(normals), harmonics.from_house(light))
    for row in range(2):
        theirs = house_shade(normals[row].permute(1, 2, 0).numpy(), light[row].numpy())
        np.testing.assert_allclose(inside[row].permute(1, 2, 0).numpy(), theirs, atol=1e-5)
    assert harmonics.to_house(harmonics.from_house(light)).allclose(light, atol=1e-5)
    there = harmonics.vectors_to_house(harmonics.vectors_from_house(normals))
    assert there.equal(normals)


@pytest.mark.parametrize("wanted", [(30.0, 20.0), (-120.0, -40.0), (0.0, 90.0)])
def test_a_directed_light_comes_from_where_it_should(wanted: tuple[float, float]) -> None:
    light, goal = _light(), towards(*wanted)
    moved = harmonics.directed(light, goal.expand(2, 3))
    assert direction(moved).allclose(goal.expand(2, 3), atol=1e-5)
    assert moved[:, [0, 9, 18]].allclose(light[:, [0, 9, 18]], atol=1e-5)
    energy = [float(x.view(2, 3, 9)[..., 1:4].square().sum()) for x in (light, moved)]
    assert energy[0] == pytest.approx(energy[1], rel=1e-4)


def test_a_light_can_be_sent_right_behind() -> None:
    light = torch.zeros(1, 27)
    light[0, [1, 10, 19]] = 1.0
    assert direction(harmonics.directed(light, towards(180, 0)[None])).allclose(
        towards(180, 0)[None], atol=1e-5
    )
