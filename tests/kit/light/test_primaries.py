"""Colours keep their look when the primaries change."""

from __future__ import annotations

import numpy as np
import pytest

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.light.primaries import REC709, rec709_matrix, to_rec709

REC2020 = (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290)
ACES_AP0 = (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077, 0.32168, 0.33767)


def test_rec_2020() -> None:
    """ITU-R BT.2087-0, table of the conversion to BT.709."""
    published = [
        [1.6605, -0.5876, -0.0728],
        [-0.1246, 1.1329, -0.0083],
        [-0.0182, -0.1006, 1.1187],
    ]
    assert np.allclose(rec709_matrix(REC2020), published, atol=2e-4)


def test_aces() -> None:
    """AP0 to linear sRGB with Bradford adaptation, as OpenColorIO's configurations have it."""
    published = [
        [2.52169, -1.13413, -0.38756],
        [-0.27648, 1.37272, -0.09624],
        [-0.01538, -0.15298, 1.16835],
    ]
    assert np.allclose(rec709_matrix(ACES_AP0), published, atol=2e-4)


@pytest.mark.parametrize("primaries", [REC2020, ACES_AP0])
def test_white_stays_white(primaries: tuple[float, ...]) -> None:
    white = np.ones((2, 3, 3), np.float32)
    assert np.allclose(to_rec709(white, primaries), 1, atol=1e-5)


@pytest.mark.parametrize("primaries", [(), REC709, tuple(np.round(REC709, 3))])
def test_what_is_rec_709_already_is_left_alone(primaries: tuple[float, ...]) -> None:
    pixels = np.random.default_rng(0).random((4, 5, 3)).astype(np.float32)
    assert to_rec709(pixels, primaries) is pixels


@pytest.mark.parametrize(
    "primaries", [(0.0,) * 8, (0.3, 0.3) * 4, (0.64, 0.33), (np.nan,) * 8, (0.64, 0.0, *REC709[2:])]
)
def test_primaries_that_span_nothing_are_refused(primaries: tuple[float, ...]) -> None:
    with pytest.raises(DataError, match="primaries that span no colours"):
        to_rec709(np.ones((1, 1, 3), np.float32), primaries)
