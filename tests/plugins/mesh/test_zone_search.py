"""Cameras found by where the middles of zones lie."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from iid_mesh.found_cameras import Found
from iid_mesh.framing import boxes
from iid_mesh.render.camera import about_axis, anchors, geodesic, multiply, project
from iid_mesh.render.hard import interpolated, visible
from iid_mesh.template import icosphere
from iid_mesh.zone_search import Middles, ZoneSearch

#: An egg, and six zones of it: its ends, its top and bottom, its flanks, and last something loose.
SHAPE = icosphere().vertices * torch.tensor([1.0, 0.5, 0.6])
LOOSE = 5


@cache
def zones() -> Tensor:
    """One zone for each vertex [642,6], alike on both sides."""
    x, y, z = icosphere().vertices.unbind(1)
    label = torch.full_like(x, 4).long()
    label[y.abs() < 0.6] = 2
    label[(z < 0) & (y.abs() < 0.6)] = 3
    label[x > 0.6] = 0
    label[x < -0.6] = 1
    label[(x.abs() < 0.2) & (z > 0.6)] = LOOSE
    return torch.nn.functional.one_hot(label, 6).float()


@cache
def search() -> ZoneSearch:
    made = ZoneSearch(anchors(8), torch.tensor([1.0, 1, 1, 1, 1, 0]))
    made.look_at(SHAPE, zones())
    return made


def cameras_at(sides: list[tuple[float, float, float]]) -> Tensor:
    """Cameras [B,7] of azimuths, elevations and rolls."""
    azimuth, elevation, roll = torch.tensor(sides).unbind(1)
    stand = multiply(about_axis("x", 90.0), about_axis("z", azimuth))
    turns = multiply(about_axis("z", roll), multiply(about_axis("x", elevation), stand))
    place = torch.tensor([0.6, 0.1, -0.1]).expand(len(sides), 3)
    return torch.cat([place, turns], 1)


def photographed(cameras: Tensor) -> tuple[Tensor, Tensor]:
    """Zone maps [B,7,64,64] and silhouettes [B,1,64,64] of the egg."""
    seen = visible(project(SHAPE, cameras), icosphere().faces, 64)
    maps = interpolated(seen, icosphere().faces, zones().expand(len(cameras), -1, -1))
    mask = seen.mask[:, None].float()
    return torch.cat([1 - mask, maps], 1), mask


def found_in(maps: Tensor, mask: Tensor) -> Found:
    found: Found = search()(maps, boxes(mask))
    return found


def test_cameras_are_found_from_far_above_below_and_rolled() -> None:
    sides = [(3.0, 0.0, 0.0), (67.0, 44.0, 0.0), (128.0, -38.0, 24.0), (200.0, 5.0, -27.0)]
    cameras = cameras_at([*sides, (311.0, 33.0, 15.0)])
    found = found_in(*photographed(cameras))
    assert float(geodesic(found.best, cameras[:, 3:]).max()) < 15
    assert torch.allclose(found.chances.sum(1), torch.ones(5), atol=1e-5)


def test_what_is_loose_may_be_held_anywhere() -> None:
    cameras = cameras_at([(40.0, 25.0, 5.0)])
    maps, mask = photographed(cameras)
    assert float(maps[:, 1 + LOOSE].sum()) > 20
    moved = maps.clone()
    moved[:, 1 + LOOSE] = maps[:, 1 + LOOSE].roll((20, -25), (1, 2))
    assert torch.allclose(found_in(moved, mask).best, found_in(maps, mask).best, atol=1e-5)


def test_where_and_how_large_an_object_is_does_not_matter() -> None:
    cameras = cameras_at([(150.0, -20.0, 0.0)])
    smaller = cameras.clone()
    smaller[:, :3] = torch.tensor([0.4, -0.3, 0.3])
    one, other = (found_in(*photographed(each)) for each in (cameras, smaller))
    assert float(geodesic(one.best, other.best)) < 4


def test_the_template_is_in_its_state() -> None:
    other = ZoneSearch(anchors(8), torch.tensor([1.0, 1, 1, 1, 1, 0]))
    assert not other.ready
    other.load_state_dict(search().state_dict())
    assert other.ready
    maps, mask = photographed(cameras_at([(70.0, 10.0, 0.0)]))
    again = other(maps, boxes(mask))
    assert torch.equal(found_in(maps, mask).chances, again.chances)


def test_middles_are_means_of_places() -> None:
    maps = torch.zeros(1, 2, 16, 16)
    maps[0, 0, 4:8, 2:10] = 1
    maps[0, 1, 12, 15] = 0.5
    middles = Middles.of(maps)
    assert torch.allclose(middles.areas, torch.tensor([[32.0, 0.5]]) / 32.5)
    expected = torch.tensor([[-0.25 - 0.25j, 0.9375 + 0.5625j]])
    assert torch.allclose(middles.places, expected, atol=1e-6)


def test_anchored_cameras_learn_the_turns_that_are_nearest_to_them() -> None:
    """Both signs of a quaternion are one turn."""
    eight = anchors(8)
    near = multiply(about_axis("y", 10.0), eight[3])
    turns = torch.stack([near, -eight[3], eight[6]])[None]
    box = boxes(torch.ones(1, 1, 4, 4))
    found = Found.among(turns, torch.tensor([[0.4, 0.4, 0.2]]), eight, box)
    assert torch.allclose(found.chances[0, [3, 6]], torch.tensor([0.8, 0.2]))
    assert found.chances[0].sum() == 1
    middle = multiply(about_axis("y", 5.0), eight[3])
    assert float(geodesic(found.turns[0, 3], middle)) < 0.1
    assert float(geodesic(found.best[0], middle)) < 0.1
    assert torch.allclose(found.turns[0, 0], eight[0]), "nothing is likely near it"
