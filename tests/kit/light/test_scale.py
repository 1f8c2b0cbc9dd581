"""What goes before and after a network."""

from __future__ import annotations

import torch

from intrinsic_cli.kit.light.resize import enlarged
from intrinsic_cli.kit.light.scale import reflectance_below_one


def test_small_photos_are_enlarged_a_little_and_albedo_stays_below_one() -> None:
    assert enlarged(torch.zeros(1, 3, 32, 48), 384, 16).shape[-2:] == (48, 80)
    assert enlarged(torch.zeros(1, 3, 400, 600), 384, 16).shape[-2:] == (400, 600)
    albedo, shading = torch.full((1, 3, 8, 8), 2.0), torch.full((1, 3, 8, 8), 0.5)
    a, s = reflectance_below_one(albedo, shading)
    torch.testing.assert_close(a * s, albedo * shading)
    assert float(a.max()) <= 1
