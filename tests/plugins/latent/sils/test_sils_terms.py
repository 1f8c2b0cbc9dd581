"""The terms by hand."""

import pytest
import torch
from torch import Tensor

from iid_latent.sils import terms


@pytest.mark.parametrize(("l1", "alike"), [(0, 0.9477), (0.1, 0.9158), (0.5, 0.5855), (1, 0.0993)])
def test_known_values_of_the_separation(l1: float, alike: float) -> None:
    assert 1 - terms.separation(torch.tensor(l1)).item() == pytest.approx(alike, abs=5e-5)


def test_distance_does_not_know_size() -> None:
    f = torch.tensor([1.0, -1.0, 1.0, -1.0]).view(1, 1, 2, 2)
    assert terms.distance(f, 7 * f).item() == pytest.approx(0, abs=1e-6)
    assert terms.distance(f, -0.1 * f).item() == pytest.approx(2, abs=1e-5)
    assert terms.distance(torch.cat([f, f]), torch.cat([f, -f])).tolist() == pytest.approx(
        [0, 2], abs=1e-5
    )


def test_independence_is_the_mean_over_pairs_and_levels() -> None:
    f = torch.tensor([1.0, -1.0]).view(1, 1, 1, 2)
    same, far = 0.9477, 1 - terms.separation(torch.tensor(2.0)).item()
    assert terms.independence([[f, f], [f, -f]]).item() == pytest.approx((same + far) / 2, abs=1e-4)
    assert terms.independence([[f], [f], [-f]]).item() == pytest.approx(
        (same + 2 * far) / 3, abs=1e-4
    )


def test_independence_drives_equal_features_apart() -> None:
    generator = torch.Generator().manual_seed(0)
    f = torch.randn(1, 4, 8, 8, generator=generator)
    g = (f + 0.3 * torch.randn(1, 4, 8, 8, generator=generator)).requires_grad_()
    before = terms.independence([[f], [g]])
    (slope,) = torch.autograd.grad(before, g)
    assert (
        terms.independence([[f], [g - 0.5 * slope / slope.square().mean().sqrt()]]) < before - 0.01
    )


def test_shared_information_sums_layers_and_averages_levels() -> None:
    f = torch.tensor([1.0, -1.0]).view(1, 1, 1, 2)
    assert terms.shared_information([[f, f], [f, f]], [[f, -f], [-f, -f]]).item() == pytest.approx(
        1 + 2, abs=1e-5
    )


def test_found_sums_layers_and_averages_samples() -> None:
    def error(guess: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
        return ((guess - truth).abs() * mask).mean((1, 2, 3))

    zero, one, mask = torch.zeros(2, 3, 4, 4), torch.ones(2, 3, 4, 4), torch.ones(2, 1, 4, 4)
    mask[1] = 0
    assert terms.found(error, [zero, one], [one, 4 * one], mask).item() == pytest.approx(0.5 + 1.5)


def test_least_squares_game() -> None:
    def scores(x: Tensor) -> list[Tensor]:
        return [x, 2 * x]

    half, one = torch.full((1, 3, 2, 2), 0.5), torch.ones(1, 3, 2, 2)
    assert terms.adversarial([scores], [half]).item() == pytest.approx(0.25 + 0)
    assert terms.adversarial([scores, scores], [half, one]).item() == pytest.approx(
        0.25 + 0 + 0 + 1
    )
    # exemplars 1: (1-1)² + (2-1)²; drawn 0.5: 0.5² + 1²
    assert terms.discriminator([scores], [one], [half]).item() == pytest.approx(1 + 1.25)


def test_discriminators_do_not_teach_what_is_drawn() -> None:
    drawn = torch.ones(1, 3, 2, 2, requires_grad=True)
    weight = torch.ones((), requires_grad=True)
    terms.discriminator([lambda x: [weight * x]], [torch.ones(1, 3, 2, 2)], [drawn]).backward()
    assert drawn.grad is None
    assert weight.grad is not None
