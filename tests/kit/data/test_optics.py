"""What a pane of glass and a lens do keeps the light's amount and its range."""

from __future__ import annotations

import numpy as np
import pytest

from intrinsic_cli.kit.data.reflection.optics import (
    defocus,
    double,
    flare,
    shallow_focus,
    vignette,
)


def test_blur_doubling_and_veils() -> None:
    rng = np.random.default_rng(0)
    scene = rng.random((60, 80, 3), dtype=np.float32)
    for sigma in (1.0, 4.0, 20.0):
        blurred = defocus(scene, sigma)
        assert blurred.shape == scene.shape
        assert blurred.std() < scene.std() / sigma
        assert blurred.mean() == pytest.approx(scene.mean(), abs=0.02)
    assert double(scene, rng).mean() == pytest.approx(scene.mean(), abs=0.02)
    covers = [vignette(60, 80, rng) for _ in range(50)]
    assert all(
        cover.shape == (60, 80, 1) and cover.min() >= 0 and cover.max() <= 1 for cover in covers
    )
    assert 0.3 < np.mean(covers) < 0.7
    veils = [flare(60, 80, rng) for _ in range(60)]
    assert 15 < sum(not veil.any() for veil in veils) < 45
    assert max(veil.max() for veil in veils) <= 0.25
    assert max(np.abs(np.diff(veil, axis=1)).max() for veil in veils) < 0.02


def test_shallow_focus_blurs_parts_and_keeps_the_rest() -> None:
    rng = np.random.default_rng(1)
    scene = rng.random((120, 160, 3), dtype=np.float32)
    shown = [shallow_focus(scene, rng) for _ in range(20)]
    changes = [np.abs(photo - scene).max(-1) for photo in shown]
    sharp = [float((change < 1e-6).mean()) for change in changes]
    blurred = [float((change > 0.1).mean()) for change in changes]
    assert np.mean(sharp) > 0.1
    assert np.mean(blurred) > 0.1
    assert all(photo.mean() == pytest.approx(scene.mean(), abs=0.02) for photo in shown)
    assert all(photo.min() >= 0 and photo.max() <= 1 for photo in shown)
