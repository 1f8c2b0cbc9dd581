"""Looking twice: what is seen of a mirrored photo is the mirrored answer."""

from __future__ import annotations

import pytest
import torch

from iid_residual.harmonics import shade
from iid_residual.networks.pipe import build
from iid_residual.networks.twice import twice
from iid_residual.variants import DESIGNS, design_of


@pytest.mark.parametrize("design", [d for d in DESIGNS if not d.skip], ids=lambda d: d.name)
def test_a_mirrored_photo_has_the_mirrored_answer(design: object) -> None:
    torch.manual_seed(0)
    network = build(design, "lite", 16).eval()  # type: ignore[arg-type]
    photo = torch.rand(2, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        made = twice(network, photo)
        mirrored = twice(network, photo.flip(3))
    torch.testing.assert_close(mirrored.albedo, made.albedo.flip(3), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(mirrored.shading, made.shading.flip(3), rtol=1e-3, atol=1e-4)
    turned = made.normals.flip(3)
    turned[:, 1] *= -1
    torch.testing.assert_close(mirrored.normals, turned, rtol=1e-3, atol=1e-4)
    assert made.normals.norm(dim=1).sub(1).abs().max() < 1e-3
    assert (made.residual is None) == (not network.design.adds)  # type: ignore[union-attr]
    if made.light is None or mirrored.light is None:
        return
    # The light of the mirrored face shades the mirrored normals as the light does the normals.
    lit = shade(made.normals, made.light)
    other = shade(mirrored.normals, mirrored.light)
    torch.testing.assert_close(other, lit.flip(3), rtol=1e-3, atol=1e-3)


def test_two_looks_differ_from_one() -> None:
    torch.manual_seed(0)
    network = build(design_of(""), "lite", 16).eval()
    photo = torch.rand(1, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        once = network(photo).albedo
        both = twice(network, photo).albedo
    assert float((once - both).abs().max()) > 1e-5
