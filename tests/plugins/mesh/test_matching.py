"""Vertices that look for their pixels: where the flow comes from, and what it is taught by."""

from __future__ import annotations

import math

import pytest
import torch

from iid_mesh.losses import zones
from iid_mesh.networks.matching import Likeness, over_template
from iid_mesh.template import icosphere
from iid_mesh.uv import at_points

SIDE = 16


def likeness(values: torch.Tensor, spread: float = 0.2) -> Likeness:
    """Of a sphere seen from above, in the middle half of the picture."""
    expected = icosphere().vertices[None, :, :2] / 2
    return Likeness(values, expected, torch.tensor(spread))


def test_where_nothing_looks_alike_flow_comes_from_where_the_mesh_is() -> None:
    alike = likeness(torch.zeros(1, 337, SIDE, SIDE))
    found = alike.chances() @ alike.pixels()
    assert (found - alike.expected).abs().max() < 0.02


def test_what_looks_alike_is_found_by_both_of_a_pair() -> None:
    values = torch.zeros(1, 337, SIDE, SIDE)
    values[0, 100, 3, 12] = 100.0
    alike = likeness(values, spread=1.0)
    left = int(icosphere().mirror[100])
    found = alike.chances(torch.tensor([100, left, 101])) @ alike.pixels()
    place = torch.tensor([2 * 12 + 1, 2 * 3 + 1]) / SIDE - 1
    assert found[0, :2].allclose(place.expand(2, 2), atol=1e-3)
    assert (found[0, 2] - place).abs().max() > 0.1


def test_of_two_places_that_look_alike_flow_takes_the_likelier() -> None:
    """The mean of both would lie in the middle, where nothing looks alike."""
    values = torch.full((1, 337, SIDE, SIDE), -20.0)
    values[..., 8, 2], values[..., 8, 13] = 4.0, 6.0
    flow = likeness(values, spread=100.0).flow()
    right = 27 / SIDE - 1
    assert flow[:, 0].allclose(torch.tensor(right), atol=0.05)


def test_values_lie_over_the_template_where_their_vertices_do() -> None:
    vertices = icosphere().vertices
    picture = over_template(vertices[None])
    assert picture.shape == (1, 3, 64, 128)
    assert (at_points(picture, vertices)[0] - vertices).abs().max() < 0.08


def test_zones_are_covered_by_pixels_of_all_of_them() -> None:
    table = torch.eye(2).repeat_interleave(2, 0)
    maps = torch.eye(2).repeat_interleave(4, 1)[None]
    seen = torch.ones(1, 4)
    evenly = maps[0][[0, 0, 1, 1]][None] / 4
    assert float(zones.coverage(evenly, table, seen, maps)) == pytest.approx(0, abs=1e-2)
    gathered = torch.zeros(1, 4, 8)
    gathered[0, [0, 1, 2, 3], [0, 0, 4, 4]] = 1
    assert float(zones.coverage(gathered, table, seen, maps)) > 1
    assert float(zones.consistency(gathered, table, seen, maps)) == pytest.approx(0, abs=1e-3)
    halves = torch.full((1, 4, 8), 1 / 8)
    assert float(zones.consistency(halves, table, seen, maps)) == pytest.approx(
        math.log(2), abs=1e-3
    )


def test_zones_that_are_not_there_cost_nothing() -> None:
    table, maps = torch.eye(2), torch.zeros(1, 2, 8)
    maps[0, 0] = 1
    anywhere = torch.full((1, 2, 8), 1 / 8)
    seen = torch.ones(1, 2)
    assert float(zones.coverage(anywhere, table, seen, maps)) == pytest.approx(0, abs=1e-2)
    assert float(zones.consistency(anywhere, table, seen, maps)) == pytest.approx(0, abs=1e-3)


def test_flow_that_strays_costs_by_the_square() -> None:
    at = torch.tensor([[0.0, 0.0], [1.0, 0.0]])
    chances = torch.tensor([[[1.0, 0.0], [0.5, 0.5]]])
    places = torch.zeros(1, 2, 2)
    far = zones.strayed(chances, at, places, torch.tensor([[1.0, 1.0]]))
    assert float(far) == pytest.approx(0.25)
