"""Losses at values known by hand."""

from __future__ import annotations

import math

import pytest
import torch

from iid_mesh.losses import cameras, parts, surface, texture
from iid_mesh.losses.silhouette import overlap, overlap_loss
from iid_mesh.render.camera import about_axis, anchors, multiply
from iid_mesh.template import icosphere

SPHERE = icosphere().vertices[None]


def test_overlap_of_squares() -> None:
    one, other = torch.zeros(1, 8, 8), torch.zeros(1, 8, 8)
    one[:, :4], other[:, 2:6] = 1, 1
    assert float(overlap(one, other)) == pytest.approx(16 / 48, abs=1e-5)
    assert float(overlap_loss(one, one)) == pytest.approx(0, abs=1e-5)


def test_the_sphere_is_as_smooth_as_the_published_one() -> None:
    assert float(surface.laplacian(SPHERE)) == pytest.approx(0.1291, abs=1e-3)


def test_creases_are_the_angles_between_normals() -> None:
    template = icosphere()
    corners = SPHERE[0][template.outward]
    normals = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = torch.nn.functional.normalize(normals, dim=1)
    total = 0.0
    for start, end, *_ in template.dihedrals.tolist():
        beside = (template.outward == start).any(1) & (template.outward == end).any(1)
        one, other = normals[beside]
        total += float(1 - one @ other) ** 2
    assert float(surface.creases(SPHERE)) == pytest.approx(total, rel=1e-3)


def test_a_dent_is_less_smooth() -> None:
    dented = SPHERE.clone()
    dented[0, 100] *= 0.7
    assert float(surface.laplacian(dented)) > 1.5 * float(surface.laplacian(SPHERE))
    assert float(surface.creases(dented)) > 2 * float(surface.creases(SPHERE))


def test_deformation_and_flatness_are_lengths() -> None:
    offsets = torch.tensor([0.3, 0.0, 0.4]).expand(2, 5, 3)
    assert torch.allclose(surface.deformation(offsets), torch.full((2,), 0.5))
    points = torch.tensor([[[9.0, -0.5, 1.0], [0.0, 0.1, 0.0]]])
    assert float(surface.flatness(points)) == pytest.approx(0.3)


def test_the_same_picture_is_not_unlike_and_another_is() -> None:
    photo, mask = torch.rand(2, 3, 16, 16), torch.ones(2, 1, 16, 16)
    assert torch.equal(texture.unlikeness(photo, photo, mask), torch.zeros(2))
    brighter = texture.unlikeness(photo + 0.1, photo, mask)
    assert torch.allclose(brighter, torch.full((2,), 0.3), atol=1e-4)
    half = mask.clone()
    half[..., 8:] = 0
    wrong = photo.clone()
    wrong[..., 8:] = 0
    assert torch.allclose(texture.unlikeness(wrong, photo, half), torch.zeros(2), atol=1e-6)


def test_the_barrier_is_low_inside_and_high_outside() -> None:
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 8:24, 8:24] = 1
    barrier = texture.barrier(mask)
    assert float(barrier[0, 0, 16, 16]) < 0.01
    assert float(barrier[0, 0, 1, 1]) > 0.99
    inward = barrier[0, 0, 16, 8:17]
    assert (inward.diff() <= 0).all()


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_mask_without_a_border_has_a_barrier(value: float) -> None:
    barrier = texture.barrier(torch.full((1, 1, 16, 16), value))
    assert torch.isfinite(barrier).all()


def test_flow_off_the_object_costs() -> None:
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 8:24, 8:24] = 1
    barrier = texture.barrier(mask)
    inside = texture.off_object(torch.zeros(1, 2, 4, 4), barrier)
    outside = texture.off_object(torch.full((1, 2, 4, 4), 0.9), barrier)
    assert float(inside) < 0.02
    assert float(outside) > 0.9


def test_the_cycle_is_closed_where_flow_comes_from_where_it_is_seen() -> None:
    at = texture.places(torch.zeros(1, 2, 6, 8))
    seen = torch.ones(1, 6, 8)
    assert float(texture.cycle(at, seen)) == 0
    shifted = at + torch.tensor([0.3, 0.4]).view(1, 2, 1, 1)
    assert float(texture.cycle(shifted, seen)) == pytest.approx(0.25, abs=1e-5)
    assert float(texture.cycle(shifted, torch.zeros(1, 6, 8))) == 0


def test_places_are_those_grid_sample_looks_at() -> None:
    picture = torch.rand(1, 3, 5, 7)
    grid = texture.places(picture).movedim(1, -1)
    found = torch.nn.functional.grid_sample(picture, grid, align_corners=False)
    assert torch.allclose(found, picture, atol=1e-5)


def test_entropy_of_certain_and_of_even_cameras() -> None:
    logits = torch.tensor([[100.0, 0, 0, 0], [1, 1, 1, 1]])
    expected = torch.tensor([0.0, math.log(4)])
    assert torch.allclose(cameras.entropy(logits), expected, atol=1e-5)


def test_disagreement_is_least_where_chances_agree() -> None:
    chances = torch.tensor([[0.7, 0.2, 0.1]])
    right = cameras.disagreement(chances.log(), chances)
    wrong = cameras.disagreement(chances.flip(1).log(), chances)
    assert float(right) < float(wrong)


def test_turn_error_counts_likely_cameras_and_knows_both_signs() -> None:
    wanted = anchors(2)[None]
    off = multiply(about_axis("y", 60.0), wanted)
    chances = torch.tensor([[0.75, 0.25]])
    assert float(cameras.turn_error(-wanted, wanted, chances)) == pytest.approx(0, abs=1e-6)
    first_off = torch.stack([off[:, 0], wanted[:, 1]], 1)
    found = float(cameras.turn_error(first_off, wanted, chances))
    assert found == pytest.approx(0.75 * math.sin(math.radians(30)) ** 2, abs=1e-5)


def test_a_framed_object_has_no_framing_error() -> None:
    corners = torch.tensor([[-0.3, -0.1], [0.5, 0.3]])
    points = corners.expand(1, 2, 2, 2)
    centre, half = torch.tensor([[0.1, 0.1]]), torch.tensor([0.4])
    chances = torch.tensor([[0.5, 0.5]])
    assert float(cameras.framing_error(points, centre, half, chances)) == pytest.approx(0, abs=1e-6)
    assert float(cameras.framing_error(points * 1.2, centre, half, chances)) > 0.01


def part_maps() -> torch.Tensor:
    """The head upper left, the belly lower right, the others nowhere: [1,5,16,16]."""
    maps = torch.zeros(1, 5, 16, 16)
    maps[:, 1, 2:6, 2:6] = 1
    maps[:, 4, 10:14, 10:14] = 1
    maps[:, 0] = 1 - maps[:, 1:].sum(1)
    return maps


def test_part_maps_agree_with_themselves() -> None:
    maps = part_maps()
    assert float(parts.map_error(maps, maps)) == 0
    moved = parts.map_error(maps.roll(4, 3), maps)
    assert float(moved) > 0.01


def test_centres_lie_towards_the_parts() -> None:
    centres = parts.centres(part_maps())[0]
    assert (centres[0] < 0).all()
    assert (centres[3] > 0).all()


def test_sampled_points_lie_in_their_parts() -> None:
    torch.manual_seed(0)
    points, present = parts.sampled(part_maps(), 20)
    assert present.tolist() == [[True, False, False, True]]
    assert (points[0, 0] < -0.2).all()
    assert (points[0, 3] > 0.2).all()


def test_vertices_on_their_parts_are_near_and_exchanged_ones_are_not() -> None:
    seen = torch.tensor([[-0.5, -0.5], [0.0, 0.0], [0.0, 0.0], [0.5, 0.5]])[None, :, None]
    present = torch.tensor([[True, False, False, True]])
    points = torch.tensor([[[-0.5, -0.5], [0.5, 0.5]]])
    weights = torch.ones(1, 2)
    right = parts.vertex_distance(points, weights, torch.tensor([0, 3]), seen, present)
    wrong = parts.vertex_distance(points, weights, torch.tensor([3, 0]), seen, present)
    assert float(right) == pytest.approx(0, abs=1e-6)
    # Each part: half of the squared distance 2 there (one vertex and a little more), 2 back.
    assert float(wrong) == pytest.approx(6.0, abs=1e-4)


def test_hidden_vertices_do_not_count() -> None:
    seen = torch.zeros(1, 4, 1, 2)
    present = torch.tensor([[True, False, False, False]])
    points = torch.tensor([[[0.1, 0.0], [5.0, 5.0]]])
    labels, weights = torch.tensor([0, 0]), torch.tensor([[1.0, 0.0]])
    found = float(parts.vertex_distance(points, weights, labels, seen, present))
    assert found == pytest.approx(0.01 / 2 + 0.01, abs=1e-5)


def test_a_network_that_sees_the_parts_has_a_small_loss() -> None:
    maps = part_maps()
    sharp = maps.clamp(0.01, 0.99)
    even = torch.full_like(maps, 0.2)
    assert float(parts.map_loss(sharp, maps)) < 0.1
    assert float(parts.map_loss(even, maps)) == pytest.approx(math.log(5), abs=1e-4)
