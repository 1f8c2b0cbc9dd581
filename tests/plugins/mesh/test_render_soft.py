"""Soft silhouettes and colours: known areas, the dense renderer, finite differences, refusals."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from iid_mesh.render import camera, pairs
from iid_mesh.render.soft import colours, silhouettes
from intrinsic_cli.api import DataError

from .render_scenes import (
    OCTAHEDRON,
    OCTAHEDRON_FACES,
    SQUARE,
    SQUARE_FACES,
    dense_colours,
    dense_silhouette,
)


def spun(degrees: float) -> Tensor:
    """The square turned in the plane of the picture, [1,4,3]."""
    return camera.rotate(SQUARE[None], camera.about_axis("z", degrees)[None])


@pytest.mark.parametrize("degrees", [0.0, 20.0, 45.0])
def test_the_area_of_a_turned_square(degrees: float) -> None:
    alpha = silhouettes(spun(degrees), SQUARE_FACES, 128, sigma=1e-6)
    assert float(alpha.mean()) == pytest.approx(0.25, rel=0.02)


def test_the_area_of_a_triangle_of_either_winding() -> None:
    points = torch.tensor([[[-0.6, -0.3, 5], [0.7, -0.4, 5], [0.1, 0.8, 5]]])
    edges = points[0, 1:, :2] - points[0, 0, :2]
    area = float(torch.linalg.det(edges)) / 2 / 4
    for faces in ([[0, 1, 2]], [[2, 1, 0]]):
        alpha = silhouettes(points, torch.tensor(faces), 128, sigma=1e-6)
        assert float(alpha.mean()) == pytest.approx(area, rel=0.01)


def test_softness_at_an_edge_is_the_sigmoid_of_the_squared_distance() -> None:
    triangle = torch.tensor([[[-3.0, 0.0, 5], [3.0, 0.0, 5], [0.0, 3.0, 5]]], dtype=torch.float64)
    alpha = silhouettes(triangle, torch.tensor([[0, 1, 2]]), 64, sigma=1e-4)
    middles = (2 * torch.arange(64, dtype=torch.float64) + 1 - 64) / 64
    expected = torch.sigmoid(middles * middles.abs() / 1e-4)
    near = (middles.abs() < 0.04).nonzero().squeeze(1)
    assert torch.allclose(alpha[0, near, 32], expected[near], atol=1e-9)


@pytest.mark.parametrize("sigma", [1e-5, 1e-4, 1e-3])
def test_silhouettes_are_those_of_the_dense_renderer(sigma: float) -> None:
    points = OCTAHEDRON.double()
    alpha = silhouettes(points[None], OCTAHEDRON_FACES, 48, sigma)[0]
    assert torch.allclose(alpha, dense_silhouette(points, OCTAHEDRON_FACES, 48, sigma), atol=1e-8)


def test_gradients_are_those_of_the_dense_renderer() -> None:
    points = OCTAHEDRON.double().requires_grad_()
    weights = torch.rand(48, 48, dtype=torch.float64)
    ours = silhouettes(points[None], OCTAHEDRON_FACES, 48)[0]
    (ours * weights).sum().backward()
    found = points.grad
    points.grad = None
    (dense_silhouette(points, OCTAHEDRON_FACES, 48, 1e-4) * weights).sum().backward()
    assert found is not None
    assert points.grad is not None
    assert torch.allclose(found, points.grad, atol=1e-6)


def mixed(pixels: Tensor) -> Tensor:
    """Eight sums of all pixels, each with other weights: whatever is wrong with the gradient of a
    pixel is wrong with theirs, and eight are compared sooner than hundreds."""
    random = torch.Generator().manual_seed(0)
    weights = torch.rand(8, pixels.numel(), dtype=pixels.dtype, generator=random)
    return weights @ pixels.flatten()


def test_silhouettes_have_the_gradients_of_finite_differences() -> None:
    points = OCTAHEDRON.double()[None].requires_grad_()

    def shown(moved: Tensor) -> Tensor:
        return mixed(silhouettes(moved, OCTAHEDRON_FACES, 16, sigma=1e-2))

    assert torch.autograd.gradcheck(shown, (points,), eps=1e-6, atol=1e-5)


def test_cameras_have_the_gradients_of_finite_differences() -> None:
    points = OCTAHEDRON.double() - torch.tensor([0, 0, 5.0])
    cameras = torch.tensor([[0.8, 0.1, -0.1, 0.8, 0.2, 0.5, 0.3]]).double().requires_grad_()

    def shown(seen_by: Tensor) -> Tensor:
        points_seen = camera.project(points, seen_by)
        return mixed(silhouettes(points_seen, OCTAHEDRON_FACES, 16, sigma=1e-2))

    assert torch.autograd.gradcheck(shown, (cameras,), eps=1e-6, atol=1e-5)


def test_colours_are_those_of_the_dense_renderer() -> None:
    points, tints = OCTAHEDRON.double(), torch.rand(6, 3, dtype=torch.float64)
    values, alpha = colours(points[None], OCTAHEDRON_FACES, tints[None], 48)
    expected = dense_colours(points, OCTAHEDRON_FACES, tints, 48, 1e-4, 1e-4)
    reached = alpha[0] > 1e-6
    assert torch.allclose(values[0][:, reached], expected[:, reached], atol=1e-5)


def test_colours_of_corners_are_those_of_points() -> None:
    tints = torch.rand(1, 6, 2)
    by_point, _ = colours(OCTAHEDRON[None], OCTAHEDRON_FACES, tints, 32)
    by_corner, _ = colours(OCTAHEDRON[None], OCTAHEDRON_FACES, tints[:, OCTAHEDRON_FACES], 32)
    assert torch.allclose(by_point, by_corner, atol=1e-6)


def test_the_nearer_of_two_squares_is_seen() -> None:
    both = torch.cat([SQUARE, SQUARE * torch.tensor([0.5, 0.5, 0.8])])[None]
    faces = torch.cat([SQUARE_FACES, SQUARE_FACES + 4])
    tints = torch.tensor([[0.2]] * 4 + [[0.9]] * 4)[None]
    values, _ = colours(both, faces, tints, 64)
    assert float(values[0, 0, 32, 32]) == pytest.approx(0.9, abs=1e-3)
    assert float(values[0, 0, 32, 18]) == pytest.approx(0.2, abs=1e-3)


def test_colours_have_the_gradients_of_finite_differences() -> None:
    points = OCTAHEDRON.double()[None].requires_grad_()
    tints = torch.rand(1, 6, 1, dtype=torch.float64, requires_grad=True)

    def shown(moved: Tensor, tint: Tensor) -> Tensor:
        values, alpha = colours(moved, OCTAHEDRON_FACES, tint, 12, sigma=1e-2, gamma=1e-2)
        return mixed(values * alpha[:, None])

    assert torch.autograd.gradcheck(shown, (points, tints), eps=1e-6, atol=1e-4)


def test_a_batch_is_its_meshes_one_by_one() -> None:
    both = torch.stack([OCTAHEDRON, OCTAHEDRON * torch.tensor([0.5, 0.8, 1])])
    tints = torch.rand(2, 6, 3)
    values, alpha = colours(both, OCTAHEDRON_FACES, tints, 32)
    for i in range(2):
        one, mask = colours(both[i : i + 1], OCTAHEDRON_FACES, tints[i : i + 1], 32)
        assert torch.allclose(values[i], one[0], atol=1e-6)
        assert torch.allclose(alpha[i], mask[0], atol=1e-6)


def test_a_face_without_an_area_covers_a_line() -> None:
    line = torch.tensor([[[-0.5, 0.0, 5], [0.5, 0.0, 5], [0.0, 0.0, 5]]], requires_grad=True)
    alpha = silhouettes(line, torch.tensor([[0, 1, 2]]), 33)
    alpha.sum().backward()
    assert float(alpha[0, 16, 16].detach()) == pytest.approx(0.5, abs=1e-3)
    assert line.grad is not None
    assert torch.isfinite(line.grad).all()


def test_what_lies_beside_the_picture_is_not_seen() -> None:
    alpha = silhouettes(SQUARE[None] + torch.tensor([5.0, 0, 0]), SQUARE_FACES, 32)
    assert float(alpha.abs().max()) == 0


def test_a_mesh_far_larger_than_the_picture_covers_it() -> None:
    alpha = silhouettes(SQUARE[None] * torch.tensor([4e3, 4e3, 1]), SQUARE_FACES, 32)
    # On the line between the two faces each covers half: 1 − ½ · ½.
    assert float(alpha.min()) == pytest.approx(0.75, abs=1e-3)
    assert float(alpha.median()) == 1


def test_points_that_are_not_finite_are_refused() -> None:
    broken = SQUARE[None].clone()
    broken[0, 1, 0] = float("nan")
    with pytest.raises(DataError, match="not finite"):
        silhouettes(broken, SQUARE_FACES, 16)


def two_birds() -> Tensor:
    """The octahedron twice, the second one smaller, [2,6,3]."""
    return torch.stack([OCTAHEDRON, OCTAHEDRON * torch.tensor([0.5, 0.6, 1.0])]).double()


def test_what_is_rendered_in_pieces_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = torch.rand(2, 32, 32, dtype=torch.float64)
    attributes = torch.rand(2, 6, 3, dtype=torch.float64)
    answers = []
    for most in (pairs.MOST, 300):
        monkeypatch.setattr(pairs, "MOST", most)
        points, shown = two_birds().requires_grad_(), attributes.clone().requires_grad_()
        values, alpha = colours(points, OCTAHEDRON_FACES, shown, 32, sigma=1e-3)
        ((alpha + values.mean(1)) * weights).sum().backward()
        assert torch.equal(alpha, silhouettes(points, OCTAHEDRON_FACES, 32, sigma=1e-3))
        answers.append((values, alpha, points.grad, shown.grad))
    for whole, pieces in zip(*answers, strict=True):
        assert torch.allclose(whole, pieces, atol=1e-9)


def test_a_piece_has_no_more_pairs_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = pairs.Scene.of(two_birds(), OCTAHEDRON_FACES, 32)
    (whole,) = pairs.near(scene, 0.1)
    everything = pairs.pairs_of(scene, whole)
    monkeypatch.setattr(pairs, "MOST", 300)
    pieces = pairs.near(scene, 0.1)
    assert len(pieces) > len(everything.x) / 300
    assert [piece.end for piece in pieces[:-1]] == [piece.begin for piece in pieces[1:]]
    found = [pairs.pairs_of(scene, piece) for piece in pieces]
    assert max(len(part.x) for part in found) <= 300
    assert sum(len(part.x) for part in found) == len(everything.x)
    monkeypatch.setattr(pairs, "MOST", 1)
    assert len(pairs.near(scene, 0.1)) <= 64, "a row is never cut"
