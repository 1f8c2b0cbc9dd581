"""Light fitted to a shading: right where normals tell of it, the prior where they do not."""

from __future__ import annotations

import torch
from torch import Tensor

from iid_residual.domain import Domain, received
from iid_residual.harmonics import direction, shade, towards, unit
from iid_residual.losses import angle
from iid_residual.networks.light_fit import LightFit
from iid_residual.relight import lamp


def _all_round(count: int = 24) -> Tensor:
    torch.manual_seed(0)
    return unit(torch.randn(1, 3, count, count))


def _front(count: int = 24) -> Tensor:
    normals = _all_round(count)
    normals[:, 2] = normals[:, 2].abs()
    return normals


def _lamp(azimuth: float) -> Tensor:
    even = torch.zeros(1, 27)
    even[:, ::9] = 1
    return lamp(even, towards(azimuth, 20))


def _fit(normals: Tensor, shading: Tensor, trust: Tensor, prior: Tensor) -> Tensor:
    with torch.no_grad():
        light: Tensor = LightFit()(normals, shading, trust, prior)
    return light


def _even() -> Tensor:
    return _lamp(0) * 0


def test_all_normals_tell_the_light() -> None:
    light, normals = _lamp(40), _all_round()
    found = _fit(normals, shade(normals, light), torch.ones(1, 1, 24, 24), _even())
    assert float(angle(direction(found), direction(light))) < 2
    lowest = (found - light).view(3, 9)[:, :4].abs().max()
    assert float(lowest) < 0.05


def test_what_the_front_does_not_tell_is_the_priors() -> None:
    """The same shading, two priors: each explains it well enough, and leans to its own."""
    light, normals = _lamp(40), _front()
    shading = shade(normals, light)
    trust = torch.ones(1, 1, 24, 24)
    own = _fit(normals, shading, trust, light)
    torch.testing.assert_close(own, light, rtol=0, atol=1e-4)
    other = _fit(normals, shading, trust, _lamp(-40))
    missed = (shade(normals, other) - shading).abs().mean()
    before = (shade(normals, _lamp(-40)) - shading).abs().mean()
    assert float(missed) < 0.2 * float(before)
    assert float((other - light).abs().max()) > 0.02


def test_what_is_not_trusted_is_not_heard() -> None:
    light, normals = _lamp(30), _all_round()
    shading = shade(normals, light)
    shading[..., :12] = 5
    trust = torch.ones(1, 1, 24, 24)
    wrong = _fit(normals, shading, trust, _even())
    trust[..., :12] = 0
    right = _fit(normals, shading, trust, _even())
    assert float(angle(direction(right), direction(light))) < 3
    assert float(angle(direction(wrong), direction(light))) > 6


def test_nothing_trusted_leaves_the_prior() -> None:
    normals = _all_round()
    prior = _lamp(10)
    found = _fit(normals, shade(normals, _lamp(60)), torch.zeros(1, 1, 24, 24), prior)
    torch.testing.assert_close(found, prior, rtol=0, atol=1e-5)


def test_received_light_is_the_photos() -> None:
    photo = torch.rand(2, 3, 8, 8) * 3
    domain = Domain.of(photo)
    torch.testing.assert_close(
        received(domain.seen(photo)), domain.drawn(photo), rtol=1e-3, atol=1e-4
    )
