"""The light a rendered head receives, of which its scene knows only what set out."""

from __future__ import annotations

import numpy as np
import pytest

from iid_residual.data.received_light import received_light
from intrinsic_cli.api.outputs import Image
from intrinsic_cli.kit.data.harmonics import shade

SIDE = 60


def _ball() -> tuple[Image, np.ndarray]:
    """Unit normals of a ball [H,W,3], x right and y up, and where it is."""
    y, x = (np.mgrid[:SIDE, :SIDE] + 0.5) / (SIDE / 2) - 1
    z = np.sqrt(np.maximum(1 - x**2 - y**2, 0))
    return np.stack([x, -y, z], axis=2).astype(np.float32), x**2 + y**2 < 0.98


def _light(x: float, y: float, z: float) -> Image:
    """Even light, and as much again from one side."""
    nine = np.array([3.5, 2 * y, 2 * z, 2 * x, 0, 0, 0, 0, 0])
    return np.tile(nine, 3).astype(np.float32)


def test_a_light_nothing_stands_in_the_way_of_stays() -> None:
    normals, inside = _ball()
    light = _light(0.6, 0.3, 0.7)
    found = received_light(normals, shade(normals, light), inside, light)
    np.testing.assert_allclose(found, light, atol=1e-3)


def test_it_is_as_bright_as_what_arrives() -> None:
    normals, inside = _ball()
    light = _light(0.6, 0.3, 0.7)
    found = received_light(normals, 0.2 * shade(normals, light), inside, light)
    np.testing.assert_allclose(found, 0.2 * light, atol=1e-3)


def test_what_never_arrives_is_left_out() -> None:
    """A lamp from the left that stands behind a wall; what is lit is lit from the right."""
    normals, inside = _ball()
    arrives = _light(0.9, 0, 0.4)
    found = received_light(normals, shade(normals, arrives), inside, _light(-0.9, 0, 0.4))
    assert found[3] > 0.5 * arrives[3]
    made = shade(normals, found)[inside]
    assert np.abs(made - shade(normals, arrives)[inside]).mean() < 0.1


@pytest.mark.parametrize("inside", [True, False])
def test_darkness_and_emptiness_are_no_trouble(inside: bool) -> None:
    normals, _ = _ball()
    where = np.full((SIDE, SIDE), inside)
    found = received_light(normals, np.zeros_like(normals), where, _light(0, 0, 1))
    assert np.isfinite(found).all()
    assert np.abs(found).max() < 1e-3
