"""The losses of ``usi3d`` on domains one can calculate by hand; each fault of the published code
has a test."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor, nn

from iid_latent.usi3d import terms
from iid_latent.usi3d.domains import Nets
from iid_latent.usi3d.settings import CONFIGURATIONS, OriginalConfig

HIDDEN = replace(terms.MENDED, hidden_draws=True)


@dataclass
class Toy:
    """Content is the image, the prior its mean; decoding scales the content and leaves the prior
    alone."""

    gain: float

    def encode(self, image: Tensor) -> tuple[Tensor, Tensor]:
        return image, image.mean((1, 2, 3), keepdim=True)

    def decode(self, content: Tensor, prior: Tensor) -> Tensor:
        return content * self.gain


class Halves(nn.Module):
    def forward(self, prior: Tensor) -> tuple[Tensor, Tensor]:
        return prior / 2, prior / 4


class Sum(nn.Module):
    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return a + b


def nets(i: float = 1.0, r: float = 1.0, s: float = 1.0) -> Nets:
    return Nets(Toy(i), Toy(r), Toy(s), Halves(), Sum())


def flat(value: float) -> Tensor:
    return torch.full((1, 3, 8, 8), value)


def run(generators: Nets, faults: terms.Faults = terms.MENDED) -> terms.Terms:
    """All consistency terms of a photo of 0.4, an albedo of 0.8 and a shading of 0.2 with random
    priors 5 and -5."""
    images = flat(0.4), flat(0.8), flat(0.2)
    codes = terms.encode(generators, *images)
    drawn = torch.full_like(codes.z_i, 5.0), torch.full_like(codes.z_i, -5.0)
    made = terms.translate(generators, codes, *drawn)
    return terms.consistency(generators, images, codes, made, drawn, faults)


def values(group: dict[str, Tensor]) -> dict[str, float]:
    return {name: round(float(x), 5) for name, x in group.items()}


def test_images_are_rebuilt_by_the_decoder_of_their_own_domain() -> None:
    assert values(run(nets(r=1, s=3))["image"]) == {"i": 0.0, "r": 0.0, "s": 0.4}
    swapped = run(nets(r=1, s=3), replace(terms.MENDED, swapped_decoders=True))["image"]
    assert values(swapped) == {"i": 0.0, "r": 1.6, "s": 0.0}


def test_a_picture_drawn_from_a_random_prior_is_asked_for_that_prior() -> None:
    mended, faulty = (
        run(nets())["prior"],
        run(nets(), replace(terms.MENDED, own_priors=True))["prior"],
    )
    assert values(mended)["ri_rand"] == pytest.approx(5 - 0.4)
    assert values(mended)["si_rand"] == pytest.approx(5 + 0.4)
    assert values(faulty)["ri_rand"] == pytest.approx(0.4 - 0.2)
    assert values(faulty)["si_rand"] == pytest.approx(0.4 - 0.1)
    assert values(mended)["ii"] == pytest.approx(0.4 - 0.3)


def test_contents_and_cycles() -> None:
    found = run(nets(i=1, r=2, s=1))
    assert values(found["content"]) == {
        "rs": 0.2,
        "ri": 0.4,
        "ri_rand": 0.4,
        "sr": 0.0,
        "si": 0.0,
        "si_rand": 0.0,
    }
    assert values(found["cycle"])["i_ri"] == pytest.approx(0.4)
    assert values(found["cycle"])["i_si"] == 0.0
    assert values(found["cycle"])["r"] == pytest.approx(0.8)


def test_contents_of_several_scales_are_compared_scale_by_scale() -> None:
    one, other = (flat(0.0), flat(0.0)), (flat(1.0), flat(3.0))
    assert float(terms._apart(one, other)) == pytest.approx(2.0)


def test_random_priors_have_one_sign_each_in_both_updates() -> None:
    torch.manual_seed(0)
    r, s = terms.draw(torch.zeros(64, 8, 1, 1), 10.0)
    assert float(r.mean()) == pytest.approx(10, abs=0.2)
    assert float(s.mean()) == pytest.approx(-10, abs=0.2)


def test_two_negative_layers_do_not_explain_a_photo() -> None:
    made = {"ri": flat(-0.5), "si": flat(-0.8), "ri_rand": flat(0), "si_rand": flat(0)}
    assert values(terms.physical(flat(0.4), made)) == {"i": 0.4}
    unclamped = replace(terms.MENDED, unclamped=True)
    assert values(terms.physical(flat(0.4), made, unclamped)) == {"i": 0.0}


def test_layers_of_random_priors_need_not_explain_the_photo() -> None:
    made = {"ri": flat(0.5), "si": flat(0.8), "ri_rand": flat(0.1), "si_rand": flat(0.1)}
    assert values(terms.physical(flat(0.4), made)) == {"i": 0.0}
    faulty = terms.physical(flat(0.4), made, replace(terms.MENDED, drawn_physics=True))
    assert values(faulty)["i_rand"] == pytest.approx(0.39)


def test_the_divergence_is_zero_for_equal_priors_and_positive_otherwise() -> None:
    codes = terms.encode(nets(), flat(0.4), flat(0.8), flat(0.2))
    some, other = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 2.0]], requires_grad=True)
    same = replace(codes, z_ri=some, z_r=some, z_si=some, z_s=some)
    assert values(terms.prior_divergence(same)) == {"r": 0.0, "s": 0.0}
    apart = terms.prior_divergence(replace(same, z_r=other))
    assert float(apart["r"]) == pytest.approx(2 * math.tanh(1))
    assert not apart["r"].requires_grad, "exemplars are not moved towards the photo"


def test_discriminators_see_images_of_random_priors() -> None:
    discriminators = {"r": lambda x: [x], "s": lambda x: [x, x]}
    real, made = (
        {"r": flat(1.0), "s": flat(1.0)},
        {"ri": flat(0.5), "si": flat(0.5), "ri_rand": flat(1.0)},
    )
    assert values(terms.discriminator(discriminators, real, made)) == {
        "ri": 0.25,
        "si": 0.5,
        "ri_rand": 1.0,
    }
    assert "ri_rand" not in terms.discriminator(discriminators, real, made, HIDDEN)
    assert values(terms.adversarial(discriminators, made)) == {
        "ri": 0.25,
        "si": 0.5,
        "ri_rand": 0.0,
    }


def test_discriminators_do_not_teach_the_generators() -> None:
    image = flat(0.5).requires_grad_()
    discriminator = nn.Conv2d(3, 1, 1)
    losses = terms.discriminator(
        {"r": lambda x: [discriminator(x)]}, {"r": flat(1.0)}, {"ri": image}
    )
    losses["ri"].backward()
    assert image.grad is None
    assert discriminator.weight.grad is not None


def test_named_weights_are_those_of_the_published_configurations() -> None:
    mpi = OriginalConfig().loss_weights("MPI")
    assert (mpi.adversarial, mpi.image, mpi.cycle, mpi.physical, mpi.prior, mpi.content) == (
        1,
        10,
        10,
        5,
        0.01,
        0.01,
    )
    mix = OriginalConfig().loss_weights("MIX_IIW")
    assert (mix.adversarial, mix.physical, mix.prior, mix.divergence) == (0.1, 1, 0.1, 0.1)
    assert CONFIGURATIONS["MIT"].physical == 0
    assert CONFIGURATIONS["ShapeNet"].physical == 1
    assert CONFIGURATIONS["paper"].content == 10
    assert all(CONFIGURATIONS[name].compose == 0 for name in CONFIGURATIONS if name != "default")


def test_weights_can_be_named_and_set_by_hand() -> None:
    config = OriginalConfig(weights="ShapeNet", physical=0.0, smoothness=0.5)
    weights = config.loss_weights("MPI")
    assert (weights.physical, weights.smoothness, weights.image) == (0.0, 0.5, 10)
