"""The template: order, symmetry, winding, tables of edges."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from iid_mesh.template import Template, icosphere

FIXTURES = Path(__file__).parents[2] / "fixtures" / "mesh"


@pytest.fixture(scope="module")
def sphere() -> Template:
    return icosphere()


def test_the_order_is_the_published_one(sphere: Template) -> None:
    fixture = np.load(FIXTURES / "fixture_template.npz")
    np.testing.assert_allclose(sphere.vertices.numpy(), fixture["verts"], atol=1e-7)
    np.testing.assert_array_equal(sphere.faces.numpy(), fixture["faces"])
    counts = [sphere.independent, sphere.sided, sphere.self_mirrored]
    assert [*counts, sphere.half_faces - sphere.self_mirrored] == fixture["num"].tolist()


@pytest.mark.parametrize(("refinements", "vertices", "faces"), [(1, 42, 80), (2, 162, 320)])
def test_coarser_spheres_are_mirrored_too(refinements: int, vertices: int, faces: int) -> None:
    coarse = icosphere(refinements)
    assert (len(coarse.vertices), len(coarse.faces)) == (vertices, faces)
    half = coarse.vertices[: coarse.half_vertices]
    assert coarse.symmetrise(half).allclose(coarse.vertices, atol=1e-6)


def test_a_vertex_and_its_image_are_mirrored(sphere: Template) -> None:
    image = sphere.vertices * torch.tensor([1.0, -1.0, 1.0])
    assert sphere.vertices[sphere.mirror].allclose(image, atol=1e-6)
    assert sphere.vertices[sphere.independent : sphere.half_vertices, 1].gt(0).all()


def test_left_faces_are_mirrored_id_by_id(sphere: Template) -> None:
    right = sphere.faces[sphere.self_mirrored : sphere.half_faces]
    left = sphere.faces[sphere.half_faces :]
    assert sphere.mirror[right].equal(left)
    for face in sphere.faces[: sphere.self_mirrored]:
        assert set(sphere.mirror[face].tolist()) == set(face.tolist())


def test_outward_faces_are_the_same_ones_seen_from_outside(sphere: Template) -> None:
    a, b, c = sphere.vertices[sphere.outward].unbind(1)
    normals = torch.linalg.cross(b - a, c - a)
    assert (normals * (a + b + c)).sum(1).gt(0).all()
    assert sphere.outward.sort(1).values.equal(sphere.faces.sort(1).values)
    kept = (sphere.outward == sphere.faces).all(1)
    right = slice(sphere.self_mirrored, sphere.half_faces)
    counts = int(kept[right].sum()), int(kept[sphere.half_faces :].sum())
    assert counts == (518, 106)


def test_symmetrise_keeps_the_middle_on_the_plane_unless_told(sphere: Template) -> None:
    offsets = torch.randn(2, sphere.half_vertices, 3)
    whole = sphere.symmetrise(offsets)
    assert whole.shape == (2, 642, 3)
    assert whole[:, : sphere.independent, 1].eq(0).all()
    assert whole[:, sphere.half_vertices :, 1].equal(-offsets[:, sphere.independent :, 1])
    assert whole[..., (0, 2)][:, sphere.mirror].equal(whole[..., (0, 2)])
    free = sphere.symmetrise(offsets, free=True)
    assert free[:, : sphere.half_vertices].equal(offsets)


def test_every_edge_has_two_faces(sphere: Template) -> None:
    assert sphere.edges.shape == (1920, 2)
    assert len(sphere.edges.unique(dim=0)) == 1920
    a, b, one, other = sphere.dihedrals.unbind(1)
    faces = {frozenset(face) for face in sphere.faces.tolist()}
    for corners in ((a, b, one), (a, b, other)):
        rows = torch.stack(corners, 1).tolist()
        assert {frozenset(row) for row in rows} <= faces
    assert one.ne(other).all()


def test_neighbours_are_counted(sphere: Template) -> None:
    """Twelve corners of the icosahedron have five, all others six."""
    assert sphere.degrees.long().bincount().tolist()[5:] == [12, 630]


def test_the_sphere_is_as_smooth_as_measured(sphere: Template) -> None:
    """Sum of squared offsets from the mean of the neighbours, and mean edge."""
    a, b = sphere.edges.unbind(1)
    sums = torch.zeros_like(sphere.vertices)
    sums = sums.index_add(0, a, sphere.vertices[b]).index_add(0, b, sphere.vertices[a])
    offsets = sphere.vertices - sums / sphere.degrees[:, None]
    assert offsets.square().sum().item() == pytest.approx(0.1291, abs=1e-4)
    lengths = (sphere.vertices[a] - sphere.vertices[b]).norm(dim=1)
    assert lengths.mean().item() == pytest.approx(0.1506, abs=2e-4)
