"""Which face is in front, and what is seen of it."""

from __future__ import annotations

import pytest
import torch

from iid_mesh.render import pairs
from iid_mesh.render.hard import interpolated, visible

from .render_scenes import OCTAHEDRON, OCTAHEDRON_FACES, SQUARE, SQUARE_FACES, dense_squares, pixels


def test_every_pixel_of_a_square_is_of_one_of_its_faces() -> None:
    seen = visible(SQUARE[None], SQUARE_FACES, 32)
    assert seen.mask[0, 8:24, 8:24].all()
    assert int(seen.mask.sum()) == 256
    assert set(seen.face.unique().tolist()) == {-1, 0, 1}
    assert torch.allclose(seen.depth[seen.mask], torch.tensor(4.0))
    assert torch.equal(seen.depth[~seen.mask], torch.zeros(768))


def test_the_faces_in_front_are_those_a_dense_search_finds() -> None:
    points = OCTAHEDRON.double()
    seen = visible(points[None], OCTAHEDRON_FACES, 40)
    corners = points[OCTAHEDRON_FACES]
    inside = dense_squares(corners[..., :2], pixels(40, points)) >= 0
    assert torch.equal(seen.mask[0].flatten(), inside.any(0))
    normal = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    offset = (normal * corners[:, 0]).sum(1)
    flat = normal[:, :2] @ pixels(40, points).T
    z = (offset[:, None] - flat) / normal[:, 2:]
    nearest = torch.where(inside, z, torch.inf).amin(0)
    assert torch.allclose(seen.depth[0].flatten()[inside.any(0)], nearest[inside.any(0)])


def test_interpolated_positions_are_the_pixels() -> None:
    seen = visible(OCTAHEDRON[None], OCTAHEDRON_FACES, 32)
    found = interpolated(seen, OCTAHEDRON_FACES, OCTAHEDRON[None])[0]
    mask = seen.mask[0]
    expected = pixels(32, OCTAHEDRON).T.view(2, 32, 32)
    assert torch.allclose(found[:2, mask], expected[:, mask], atol=1e-5)
    assert torch.allclose(found[2, mask], seen.depth[0, mask], atol=1e-5)
    assert float(found[:, ~mask].abs().max()) == 0


def test_gradients_reach_the_attributes() -> None:
    seen = visible(SQUARE[None], SQUARE_FACES, 16)
    tints = torch.rand(1, 4, 2, requires_grad=True)
    interpolated(seen, SQUARE_FACES, tints).sum().backward()
    assert tints.grad is not None
    assert float(tints.grad.sum()) == pytest.approx(2 * 64, rel=1e-5)


def test_a_batch_of_cameras_is_its_pictures_one_by_one() -> None:
    both = torch.stack([OCTAHEDRON, OCTAHEDRON * torch.tensor([-0.5, 0.8, 1])])
    seen = visible(both, OCTAHEDRON_FACES, 24)
    for i in range(2):
        one = visible(both[i : i + 1], OCTAHEDRON_FACES, 24)
        assert torch.equal(seen.face[i], one.face[0])
        assert torch.equal(seen.barycentric[i], one.barycentric[0])


def test_what_is_seen_in_pieces_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    both = torch.stack([OCTAHEDRON, OCTAHEDRON * torch.tensor([0.5, 0.6, 1.0])])
    whole = visible(both, OCTAHEDRON_FACES, 32)
    monkeypatch.setattr(pairs, "MOST", 100)
    pieces = visible(both, OCTAHEDRON_FACES, 32)
    assert torch.equal(whole.face, pieces.face)
    assert torch.equal(whole.barycentric, pieces.barycentric)
    assert torch.equal(whole.depth, pieces.depth)
