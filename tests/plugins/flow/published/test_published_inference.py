"""The published networks as decomposers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from iid_flow.published import VARIANTS, decomposer
from iid_flow.published.inference import PublishedDecomposer
from iid_flow.settings import PublishedOptions
from intrinsic_cli.api import Runtime, WeightsError
from intrinsic_cli.kit.data.hypersim.recipe import shading_from_albedo
from intrinsic_cli.kit.networks.checkpoint import state_of

PUBLISHED = {"albedo16": "original", "shading8": "flowiid"}


@pytest.fixture(params=VARIANTS)
def variant(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def opened(
    variant: str, generated_nets: Callable[[str], dict[str, Any]]
) -> Callable[..., PublishedDecomposer]:
    state = state_of(generated_nets(variant))

    def open_(seed: int = 0, **options: Any) -> PublishedDecomposer:
        return decomposer(
            variant, state, PublishedOptions(**options), Runtime(torch.device("cpu"), seed=seed)
        )

    return open_


@pytest.fixture
def photos() -> Tensor:
    return torch.rand(2, 3, 32, 48, generator=torch.Generator().manual_seed(0))


def test_layers_explain_the_photo(
    variant: str, opened: Callable[..., PublishedDecomposer], photos: Tensor
) -> None:
    layers = opened()(photos)
    assert layers["albedo"].shape == photos.shape
    assert layers["shading"].shape == (2, 1, 32, 48)
    if variant == "shading8":
        torch.testing.assert_close(layers["albedo"] * layers["shading"], photos)
    else:
        torch.testing.assert_close(
            layers["shading"], shading_from_albedo(photos, layers["albedo"], 1e-4, clip=False)
        )


def test_zero_steps_are_the_authors_own(
    variant: str, opened: Callable[..., PublishedDecomposer], photos: Tensor
) -> None:
    own, other = {"albedo16": (2, 1), "shading8": (1, 2)}[variant]
    chosen = opened()(photos)["albedo"]
    assert torch.equal(chosen, opened(steps=own)(photos)["albedo"])
    assert not torch.equal(chosen, opened(steps=other)(photos)["albedo"])


def test_the_seed_alone_decides_the_noise(
    opened: Callable[..., PublishedDecomposer], photos: Tensor
) -> None:
    both = opened(seed=3)(photos)["albedo"]
    assert torch.equal(both, opened(seed=3)(photos)["albedo"])
    assert not torch.equal(both, opened(seed=4)(photos)["albedo"])
    torch.testing.assert_close(both[1:], opened(seed=3)(photos[1:])["albedo"], atol=1e-5, rtol=1e-4)


def test_vae_mode_needs_the_vae_alone(
    variant: str, generated_nets: Callable[[str], dict[str, Any]], photos: Tensor
) -> None:
    state = state_of({"vae": generated_nets(variant)["vae"]})
    runtime = Runtime(torch.device("cpu"))
    layers = decomposer(variant, state, PublishedOptions(mode="vae"), runtime)(photos)
    assert torch.isfinite(layers["albedo"]).all()
    with pytest.raises(WeightsError, match="no network 'encoder'"):
        decomposer(variant, state, PublishedOptions(), runtime)


def test_black_and_overexposed_photos_stay_finite(
    opened: Callable[..., PublishedDecomposer],
) -> None:
    run = opened()
    for value in (0.0, 40.0):
        layers = run(torch.full((1, 3, 32, 32), value))
        assert all(torch.isfinite(x).all() and (x >= 0).all() for x in layers.values())


@pytest.fixture
def noise_and_answer(variant: str, fixture_file: Callable[[str], Any]) -> dict[str, Tensor]:
    return {k: torch.from_numpy(v) for k, v in fixture_file(f"parity_{PUBLISHED[variant]}").items()}


def test_parity_end_to_end(
    variant: str,
    opened: Callable[..., PublishedDecomposer],
    noise_and_answer: dict[str, Tensor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch, "randn", lambda *_, **__: noise_and_answer["noise"])
    layers = opened(steps=2)(noise_and_answer["image01"])
    layer = layers["shading" if variant == "shading8" else "albedo"]
    torch.testing.assert_close(2 * layer - 1, noise_and_answer["decoded_euler2"], atol=1e-4, rtol=0)
