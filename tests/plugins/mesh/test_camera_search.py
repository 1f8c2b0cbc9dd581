"""Cameras found by comparing parts."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from torch import Tensor

from iid_mesh import camera_search
from iid_mesh.camera_search import CameraSearch
from iid_mesh.framing import boxes, cut, framed
from iid_mesh.growth import named_parts
from iid_mesh.render.camera import about_axis, anchors, geodesic, multiply, project
from iid_mesh.render.hard import interpolated, visible
from iid_mesh.template import icosphere

#: An egg that is bent enough to be told from all sides by its parts.
SHAPE = icosphere().vertices * torch.tensor([1.0, 0.5, 0.6])
PARTS = named_parts(icosphere().vertices)


def photographed(cameras: Tensor, size: int = 48) -> tuple[Tensor, Tensor]:
    """Part maps [B,5,S,S] and silhouettes [B,1,S,S] of the egg."""
    seen = visible(project(SHAPE, cameras), icosphere().faces, size)
    table = PARTS.expand(len(cameras), -1, -1)
    maps = interpolated(seen, icosphere().faces, table)
    mask = seen.mask[:, None].float()
    return torch.cat([1 - mask, maps], 1), mask


def cameras_at(azimuths: list[float]) -> Tensor:
    stand = multiply(about_axis("x", 90.0), about_axis("z", torch.tensor(azimuths)))
    turns = multiply(about_axis("x", 8.0), stand)
    places = torch.tensor([0.6, 0.1, -0.1]).expand(len(azimuths), 3)
    return torch.cat([places, turns], 1)


@cache
def search() -> CameraSearch:
    made = CameraSearch(anchors(8))
    made.look_at(SHAPE, PARTS)
    return made


def test_the_camera_is_found_from_every_side() -> None:
    cameras = cameras_at([3.0, 50.0, 128.0, 200.0, 275.0, 330.0])
    found = search()(*photographed(cameras))
    assert float(geodesic(found.best, cameras[:, 3:]).max()) < 15
    nearest = geodesic(anchors(8), cameras[:, None, 3:]).argmin(1)
    assert torch.equal(found.chances.argmax(1), nearest)
    assert torch.allclose(found.chances.sum(1), torch.ones(6), atol=1e-5)


def test_the_likeliest_anchor_learns_the_best_turn_and_others_stay_in_their_cells() -> None:
    cameras = cameras_at([20.0, 100.0])
    found = search()(*photographed(cameras))
    wanted, rows = found.wanted(), torch.arange(2)
    assert torch.equal(wanted[rows, found.chances.argmax(1)], found.best)
    assert float(geodesic(found.turns, anchors(8)).max()) < 60


def test_without_parts_silhouettes_are_compared() -> None:
    cameras = cameras_at([90.0])
    _, mask = photographed(cameras)
    found = search()(mask, mask)
    # From behind an egg looks as from before.
    error = geodesic(found.best, cameras[:, 3:])
    assert min(float(error), 180 - float(error)) < 35


def test_the_template_it_looks_at_is_in_its_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_search, "AZIMUTHS", 8)
    one, other = CameraSearch(anchors(8)), CameraSearch(anchors(8))
    one.look_at(SHAPE, PARTS)
    other.load_state_dict(one.state_dict())
    maps, mask = photographed(cameras_at([70.0]))
    assert torch.equal(one(maps, mask).chances, other(maps, mask).chances)


def test_framed_objects_fill_their_boxes() -> None:
    cameras = cameras_at([40.0, 222.0])
    _, mask = photographed(cameras, 64)
    box = boxes(mask)
    refound = framed(SHAPE.expand(2, -1, -1), cameras[:, 3:], box)
    assert torch.allclose(refound[:, :3], cameras[:, :3], atol=0.03)


def test_boxes_and_what_they_hold() -> None:
    mask = torch.zeros(2, 1, 16, 16)
    mask[0, :, 4:8, 2:10] = 1
    box = boxes(mask)
    assert torch.allclose(box.centre[0], torch.tensor([-0.25, -0.25]))
    assert float(box.half[0]) == 0.5
    # Without a silhouette it is the whole picture.
    assert box.centre[1].tolist() == [0, 0]
    assert float(box.half[1]) == 1
    held = cut(mask, box, 8)[0, 0]
    assert float(held[2:6].mean()) > 0.95
    assert float(held.mean()) < 0.6
