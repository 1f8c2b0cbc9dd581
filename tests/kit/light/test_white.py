"""White is the bright end of what counts."""

from __future__ import annotations

import numpy as np
import pytest

from intrinsic_cli.kit.light.white import white_gain


def test_white_gain_brings_the_bright_end_inside_the_mask_to_one() -> None:
    image = np.linspace(0, 4, 1001, dtype=np.float32)[:, None, None]
    everywhere = np.ones((1001, 1), bool)
    assert white_gain(image, everywhere) * 3.96 == pytest.approx(1)
    assert white_gain(image, image[..., 0] <= 2) * 1.98 == pytest.approx(1)
    assert white_gain(image * 0, everywhere) == white_gain(image * 0, ~everywhere) == 1
