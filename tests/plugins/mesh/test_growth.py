"""The growing template and the parts that photos show on it."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from iid_mesh.growth import Growth, named_parts, part_counts
from iid_mesh.render.camera import anchors, project
from iid_mesh.render.hard import visible
from iid_mesh.template import icosphere

SPHERE = icosphere().vertices


def test_it_begins_as_an_egg_of_fixed_size() -> None:
    half = Growth().half_shape().detach()
    assert float(half.norm(dim=1).mean()) == pytest.approx(0.5, abs=1e-5)
    extent = half.abs().amax(0)
    assert float(extent[0] / extent[2]) == pytest.approx(2, abs=0.05)


def test_its_size_stays_whatever_it_learns() -> None:
    growth = Growth()
    with torch.no_grad():
        growth.shape.mul_(0.1)
    assert float(growth.half_shape().detach().norm(dim=1).mean()) == pytest.approx(0.5, abs=1e-5)


def test_names_say_where_parts_are() -> None:
    places = torch.tensor([[1.0, 0, 0], [0.7, 0, 0.7], [-0.5, 0, 0.8], [-0.5, 0, -0.8]])
    assert named_parts(places).argmax(1).tolist() == [0, 1, 2, 3]


def test_parts_are_counted_where_they_are_seen() -> None:
    camera = torch.cat([torch.tensor([0.8, 0, 0]), anchors(8)[2]])[None]
    seen = visible(project(SPHERE, camera), icosphere().faces, 32)
    maps = torch.zeros(1, 5, 32, 32)
    maps[:, 3] = 1
    counts = part_counts(seen, maps)
    assert float(counts.sum()) == pytest.approx(float(seen.mask.sum()), rel=1e-4)
    assert float(counts[:, [0, 1, 3]].abs().max()) == 0
    towards = project(SPHERE, camera)[0, :, 2]
    assert float(counts[towards > 5.2].sum()) < float(counts[towards < 4.8].sum())


def test_photos_outweigh_first_thoughts_in_the_end_on_both_sides() -> None:
    growth = Growth()
    camera = torch.cat([torch.tensor([0.8, 0, 0]), anchors(8)[2]])[None]
    seen = visible(project(SPHERE, camera), icosphere().faces, 32)
    maps = F.one_hot(torch.ones(1, 32, 32, dtype=torch.long), 5).movedim(3, 1).float()
    for _ in range(300):
        growth.count(seen, maps)
    shown = part_counts(seen, maps).sum(1) > 0.5
    assert (growth.parts()[shown].argmax(1) == 0).all()
    assert (growth.parts()[icosphere().mirror[shown]].argmax(1) == 0).all()
    assert torch.allclose(growth.parts().sum(1), torch.ones(642), atol=1e-4)
