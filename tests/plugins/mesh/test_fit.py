"""Shapes fitted to silhouettes: they fill them, stay symmetric, and are as deep as a balloon."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from iid_mesh.fit import Fitted, Start, fit, overlap, side_on
from iid_mesh.inflation import thickness
from iid_mesh.render.camera import about_axis, multiply
from iid_mesh.template import icosphere

from .objects_drawn import body

SIDE = 48
MASK = torch.from_numpy(body(SIDE).astype(np.float32))
STEPS = 40


@pytest.fixture(scope="module")
def filled() -> Fitted:
    """The silhouette filled from its side."""
    return fit(MASK, STEPS)


def symmetric(vertices: Tensor) -> bool:
    image = vertices[icosphere().mirror] * torch.tensor([1.0, -1.0, 1.0])
    return torch.allclose(image, vertices, atol=1e-6)


def test_a_silhouette_is_filled(filled: Fitted) -> None:
    begin = side_on(MASK)
    before = overlap(icosphere().symmetrise(begin.half), begin.camera, MASK)
    assert before < 0.8
    assert filled.iou > 0.9
    assert filled.iou == overlap(filled.vertices, filled.camera, MASK)
    assert symmetric(filled.vertices)


def test_a_fit_is_repeated_exactly() -> None:
    assert torch.equal(fit(MASK, 5).vertices, fit(MASK, 5).vertices)


def test_it_works_where_gradients_are_switched_off() -> None:
    with torch.inference_mode():
        made = fit(MASK.clone(), 3)
    assert not made.vertices.requires_grad
    assert torch.isfinite(made.vertices).all()


def test_it_begins_where_a_network_says() -> None:
    """A shape seen a little from above, displaced: the fit brings camera and shape to the mask."""
    start = side_on(MASK)
    turn = multiply(about_axis("x", 20.0), start.camera[3:])
    moved = torch.cat([start.camera[:3] + torch.tensor([-0.1, 0.15, 0.0]), turn])
    begin = Start(start.half, moved, start.stiffness)
    before = overlap(icosphere().symmetrise(begin.half), moved, MASK)
    made = fit(MASK, STEPS, begin)
    assert made.iou > before + 0.15
    assert made.iou > 0.85
    assert torch.allclose(made.camera[3:], turn), "the outline does not turn it"
    assert symmetric(made.vertices)
    assert torch.equal(begin.camera, moved), "what was given is left alone"


def test_a_networks_shape_is_bent_as_a_whole(filled: Fitted) -> None:
    """The outline fits better, and neighbours stay together as they would not on a loose one."""
    start = side_on(MASK)
    before = overlap(icosphere().symmetrise(start.half), start.camera, MASK)
    stiff = fit(MASK, STEPS, Start(start.half, start.camera))
    assert filled.iou > stiff.iou > before + 0.03
    one, other = icosphere().edges.unbind(1)
    whole = icosphere().symmetrise(start.half)

    def torn(made: Tensor) -> float:
        moved = made - whole
        return float((moved[one] - moved[other]).norm(dim=1).mean())

    assert torn(stiff.vertices) < 0.6 * torn(filled.vertices)


def test_without_steps_it_is_the_box() -> None:
    made = fit(MASK, 0)
    width = made.vertices[:, 0].max() - made.vertices[:, 0].min()
    columns = MASK.any(0).sum() / SIDE * 2
    assert float(width * made.camera[0]) == pytest.approx(float(columns), abs=0.05)


def test_nothing_to_fit_makes_no_trouble() -> None:
    made = fit(torch.zeros(SIDE, SIDE), 2)
    assert made.iou == 0
    assert torch.isfinite(made.vertices).all()


def test_a_balloon_over_a_disc_is_a_sphere() -> None:
    side = 64
    y, x = torch.meshgrid(*[torch.linspace(-1, 1, side)] * 2, indexing="ij")
    depth = thickness((x * x + y * y < 0.6**2).float())
    expected = (0.36 - x * x - y * y).clamp_min(0).sqrt()
    inner = x * x + y * y < 0.5**2
    assert torch.allclose(depth[inner], expected[inner], atol=0.03)
    assert depth[0, 0] == 0


def test_thin_parts_are_thin() -> None:
    mask = torch.zeros(64, 64)
    mask[8:56, 4:32] = 1
    mask[30:34, 32:60] = 1
    depth = thickness(mask)
    assert depth[32, 18] > 3 * depth[32, 50] > 0


def test_the_depth_of_a_fit_is_a_balloons(filled: Fitted) -> None:
    deepest = float(filled.vertices[:, 1].abs().max() * filled.camera[0])
    assert deepest == pytest.approx(float(thickness(MASK).max()), rel=0.2)
    assert math.isfinite(deepest)
