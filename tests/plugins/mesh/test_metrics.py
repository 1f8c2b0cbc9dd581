"""Solids and spots of surfaces against cases known by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from iid_mesh import metrics
from iid_mesh.metrics import (
    Depths,
    Reconstruction,
    chamfer,
    inside,
    solid_iou,
    spots_at,
    texture_places,
    vertices_at,
)
from iid_mesh.render.camera import anchors
from iid_mesh.template import icosphere


def camera(scale: float = 0.5, across: float = 0.0) -> Tensor:
    return torch.cat([torch.tensor([scale, across, 0.0]), anchors(1)[0]])


def ball(scale: float = 0.5, across: float = 0.0, stretch: float = 1.0) -> Reconstruction:
    vertices = icosphere().vertices * torch.tensor([stretch, 1.0, 1.0])
    return Reconstruction.of(vertices, camera(scale, across))


def test_the_inside_of_a_ball_is_a_ball() -> None:
    cells = inside(0.8 * icosphere().vertices.numpy()[:, [0, 2, 1]] * (1, -1, 1), 32)
    share = cells.mean() * 8 / (4.18879 * 0.8**3)
    assert share == pytest.approx(1, abs=0.03)
    middle = cells.reshape(32, 32, 32)[16, 16]
    assert middle.nonzero()[0].tolist() == list(range(4, 28)) or middle.sum() in (24, 25, 26)


def test_solids_are_compared_where_they_stand() -> None:
    assert solid_iou(ball(), ball()) == 1
    assert solid_iou(ball(0.5), ball(0.25)) == pytest.approx(1 / 8, abs=0.02)
    assert solid_iou(ball(0.3, -0.5), ball(0.3, 0.5)) == 0
    assert solid_iou(ball(0.25, stretch=2), ball(0.25)) == pytest.approx(0.5, abs=0.03)


def test_depth_alone_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "SAMPLES", 2000)
    one, farther = ball(), ball()
    farther.points[:, 2] += 3
    assert solid_iou(one, farther) == 1
    assert chamfer(one, farther) == pytest.approx(chamfer(one, ball()), rel=1e-3)


def test_the_chamfer_distance_is_squared_and_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "SAMPLES", 3000)
    nothing = chamfer(ball(), ball())
    assert 0 < nothing < 2e-3, "two draws of points on one surface"
    assert chamfer(ball(0.5), ball(0.4)) == pytest.approx(2 * 0.1**2, abs=3 * nothing)


def test_a_spot_is_found_and_found_again() -> None:
    shape = ball(0.5)
    places = torch.tensor([[0.0, 0.0], [0.2, -0.3], [0.9, 0.0]])
    spots = spots_at(places, shape)
    seen = spots.seen(shape.points)
    assert seen[:2, :2] == pytest.approx(places[:2], abs=1.5 / metrics.SEEN)
    assert seen[2, 0] == pytest.approx(0.5, abs=0.03), "the nearest place that shows the surface"
    assert (seen[:2, 2] < shape.points[:, 2].mean()).all(), "in front, not behind"
    moved = ball(0.5, across=0.3)
    there = texture_places(spots, moved, Depths.of(moved))
    assert there == pytest.approx(seen[:, :2] + torch.tensor([0.3, 0.0]), abs=0.02)


def test_texture_of_hidden_spots_is_that_of_the_other_side() -> None:
    side_on = ball(0.5, stretch=1.5)
    spots = spots_at(torch.tensor([[0.3, 0.1]]), side_on).mirrored()
    hidden = spots.seen(side_on.points)
    assert hidden[0, 2] > side_on.points[:, 2].mean()
    there = texture_places(spots, side_on, Depths.of(side_on))
    assert there[0].tolist() == pytest.approx([0.3, 0.1], abs=0.02)


def test_vertices_count_whether_they_are_seen_or_not() -> None:
    shape = ball()
    hidden = int(shape.points[:, 2].argmax())
    spots = vertices_at(shape.points[hidden : hidden + 1, :2], shape)
    assert spots.corners.unique().numel() == 1
    assert spots.seen(shape.points)[0, :2] == pytest.approx(shape.points[hidden, :2])


def test_an_empty_picture_falls_back_on_vertices() -> None:
    outside = ball(0.2, across=9.0)
    spots = spots_at(torch.tensor([[0.0, 0.0]]), outside)
    assert spots.seen(outside.points)[0, 0] == pytest.approx(8.8, abs=0.01)
