"""A case with truth of all kinds, shared by the tests of the protocols."""

from __future__ import annotations

from typing import Any

import numpy as np

from intrinsic_cli.api import Case

FACTORS = ("albedo", "shading")


def made_up(height: int = 48, width: int = 52) -> tuple[Case, dict[str, Any]]:
    """A case with truth of all kinds and a noisy answer."""
    rng = np.random.default_rng(5)
    albedo = rng.uniform(0.1, 0.9, (height, width, 3)).astype(np.float32)
    shading = rng.uniform(0.2, 0.9, (height, width, 1)).astype(np.float32)
    normals = rng.normal(size=(height, width, 3)).astype(np.float32)
    truth = {"albedo": albedo, "shading": shading, "normals": normals}
    photo = albedo * shading
    truth |= {"transmission": photo * 0.7, "reflection": photo * 0.3}
    answer = {
        name: layer + rng.normal(0, 0.1, layer.shape).astype(np.float32)
        for name, layer in truth.items()
    }
    answer["residual"] = rng.normal(0, 0.05, photo.shape).astype(np.float32)
    mask = rng.random((height, width)) > 0.2
    return Case("made up", photo, truth, mask, {"scene": "one"}), answer
