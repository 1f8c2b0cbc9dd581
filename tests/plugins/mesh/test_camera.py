"""Cameras: projection, mirrors, anchors, and what is refused."""

from __future__ import annotations

import pytest
import torch

from iid_mesh.render import camera
from intrinsic_cli.api import DataError

CAMERAS = torch.tensor([[0.7, 0.1, -0.2, 0.5, 0.5, -0.5, 0.5], [1.2, 0.0, 0.3, 0.8, 0.0, 0.6, 0.0]])
POINTS = torch.tensor([[0.3, -0.4, 0.8], [-0.6, 0.1, 0.2]])


def test_the_identity_scales_shifts_and_moves_away() -> None:
    seen = camera.project(POINTS, torch.tensor([[2.0, 0.5, -0.5, 1, 0, 0, 0]]))
    expected = [[1.1, -1.3, 6.6], [-0.7, -0.3, 5.4]]
    assert torch.allclose(seen[0], torch.tensor(expected))


def test_turning_is_conjugation_with_the_quaternion() -> None:
    q = torch.nn.functional.normalize(torch.tensor([[0.3, -0.5, 0.7, 0.2]]), dim=1)
    pure = torch.nn.functional.pad(POINTS, (1, 0))
    back = q * torch.tensor([1.0, -1, -1, -1])
    expected = camera.multiply(camera.multiply(q, pure), back)[:, 1:]
    assert torch.allclose(camera.rotate(POINTS[None], q)[0], expected, atol=1e-6)


def test_the_first_anchor_stands_upright_and_sides_differ() -> None:
    anchors = camera.anchors(8)
    up = camera.rotate(torch.tensor([0.0, 0, 1]).expand(8, 1, 3), anchors)
    assert torch.allclose(up[:, 0], torch.tensor([0.0, -1, 0]).expand(8, 3), atol=1e-6)
    apart = camera.geodesic(anchors[:-1], anchors[1:])
    assert torch.allclose(apart, torch.full((7,), 45.0), atol=1e-3)


def test_a_mirrored_camera_sees_the_mirrored_picture() -> None:
    cameras = torch.nn.functional.pad(
        torch.nn.functional.normalize(torch.randn(3, 4), dim=1), (3, 0), value=0.6
    )
    points = torch.randn(5, 3)
    here = camera.project(points, cameras)
    other = camera.project(points * torch.tensor([1.0, -1, 1]), camera.mirrored(cameras))
    assert torch.allclose(other, here * torch.tensor([-1.0, 1, 1]), atol=1e-5)


def test_geodesic_knows_that_both_signs_are_one_turn() -> None:
    turn = camera.about_axis("y", torch.tensor([0.0, 30.0, 180.0, 350.0]))
    start = camera.about_axis("y", 0.0).expand(4, 4)
    expected = torch.tensor([0.0, 30.0, 180.0, 10.0])
    assert torch.allclose(camera.geodesic(turn, start), expected, atol=1e-3)
    assert torch.allclose(camera.geodesic(-turn, start), expected, atol=1e-3)


def test_turned_cameras_turn_about_the_axis_of_the_picture() -> None:
    seen = camera.turned(CAMERAS, "y", 90.0)
    before = camera.rotate(POINTS.expand(2, -1, -1), CAMERAS[:, 3:])
    after = camera.rotate(POINTS.expand(2, -1, -1), seen[:, 3:])
    assert torch.allclose(after[..., 0], before[..., 2], atol=1e-6)
    assert torch.allclose(after[..., 1], before[..., 1], atol=1e-6)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_cameras_that_are_not_finite_are_refused(bad: float) -> None:
    cameras = CAMERAS.clone()
    cameras[1, 2] = bad
    with pytest.raises(DataError, match="finite"):
        camera.project(POINTS, cameras)


def test_a_quaternion_of_length_zero_is_refused() -> None:
    with pytest.raises(DataError, match="zero"):
        camera.checked(torch.zeros(1, 7))


def test_huge_and_negative_scales_are_clamped_and_quaternions_made_units() -> None:
    cameras = torch.tensor([[1e6, 0, 0, 2.0, 0, 0, 0], [-3.0, 0, 0, 0, 0, 5, 0]])
    checked = camera.checked(cameras)
    bounds = torch.tensor([camera.GREATEST_SCALE, camera.LEAST_SCALE])
    assert torch.equal(checked[:, 0], bounds)
    assert torch.allclose(checked[:, 3:].norm(dim=1), torch.ones(2))
