"""Photos as encoders see them, by hand."""

from __future__ import annotations

import pytest
import torch

from intrinsic_cli.kit.light.exposure import encode_photo, exposure


def test_exposure_is_the_mean_of_what_is_lit() -> None:
    photo = torch.full((1, 3, 4, 4), 0.4)
    photo[..., 0, :] = 0.001
    assert float(exposure(photo)) == pytest.approx(0.4)
    photo[:, 0, 1] = 1.0
    assert float(exposure(photo)) == pytest.approx((0.4 * 8 + 0.6 * 4) / 12)


@pytest.mark.parametrize(
    ("light", "code"),
    [(-0.1, -1.0), (0.0, -1.0), (0.5, 2 * 0.5**0.6 - 1), (1.5, 2 * 0.75**0.6 - 1), (1e9, 1.0)],
)
def test_codes_of_light(light: float, code: float) -> None:
    found = encode_photo(torch.tensor([[[[light]]]]), torch.tensor([[[[0.5]]]]))
    assert float(found) == pytest.approx(code, abs=1e-6)
