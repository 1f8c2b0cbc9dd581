"""The rebuilt networks against the published ones: names, shapes, counts and numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from iid_flow.published import VARIANTS
from iid_flow.published.networks import NETS
from iid_flow.published.unet import embed_time
from iid_flow.solver import euler

PUBLISHED = {"albedo16": "original", "shading8": "flowiid"}
COUNTS = {
    "albedo16": {
        "encoder": 15_594_112,
        "unet": 22_872_592,
        "vae": 3_960_483,
        "discriminator": 663_360,
    },
    "shading8": {
        "encoder": 16_841_088,
        "unet": 28_914_952,
        "vae": 11_950_289,
        "discriminator": 661_312,
    },
}
CHILDREN = {
    "albedo16": [37_120, 33_024, 2_362_112, 9_641_216, 8_132_608, 2_591_744, 1_024, 73_744],
    "shading8": [608_512, 787_968, 3_312_768, 11_017_984, 9_345_408, 3_804_416, 1_024, 36_872],
}
ENCODER_CHILDREN = [1_920, 492_416, 1_967_872, 2_295_808, 2_312_576, 8_523_520]
Nets = dict[str, Any]


def count(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


@pytest.fixture(params=VARIANTS)
def variant(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def nets(variant: str, generated_nets: Callable[[str], Nets]) -> Nets:
    return generated_nets(variant)


@pytest.fixture
def truth(
    variant: str, fixture_file: Callable[[str], Mapping[str, Any]]
) -> Callable[[str], Tensor]:
    archive = fixture_file(f"parity_{PUBLISHED[variant]}")
    return lambda name: torch.from_numpy(archive[name])


def assert_near(ours: Tensor, theirs: Tensor) -> None:
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)


@pytest.mark.parametrize("net", NETS)
def test_keys_and_shapes_are_the_published_ones(
    variant: str, net: str, published_keys: Callable[[str, str], list[tuple[str, str]]]
) -> None:
    with torch.device("meta"):
        ours = NETS[net](variant).state_dict()
    assert [(key, str(tuple(x.shape))) for key, x in ours.items()] == published_keys(variant, net)


def test_parameter_counts(variant: str) -> None:
    with torch.device("meta"):
        made = {name: maker(variant) for name, maker in NETS.items()}
    assert {name: count(net) for name, net in made.items()} == COUNTS[variant]
    assert [count(child) for child in made["unet"].children()] == CHILDREN[variant]
    if variant == "albedo16":
        assert [count(child) for child in made["encoder"].children()] == ENCODER_CHILDREN


@torch.inference_mode()
def test_vae_parity(nets: Nets, truth: Callable[[str], Tensor]) -> None:
    mean, logvar = nets["vae"].encode(2 * truth("target01") - 1)
    assert_near(mean, truth("vae_mu"))
    assert_near(logvar, truth("vae_logvar"))
    assert_near(nets["vae"].decode(mean), truth("vae_decode_mu"))


@torch.inference_mode()
def test_flow_parity(variant: str, nets: Nets, truth: Callable[[str], Tensor]) -> None:
    maps = nets["encoder"](2 * truth("image01") - 1)
    assert len(maps) == (4 if variant == "shading8" else 3)
    for i, x in enumerate(maps):
        assert_near(torch.stack([x.mean(), x.std()]), truth(f"skip{i}_mean_std"))
        assert_near(x[0, :, 0, 0], truth(f"skip{i}_row0"))

    def velocity(x: Tensor, t: Tensor) -> Tensor:
        v: Tensor = nets["unet"](x, t, maps)
        return v

    noise = truth("noise")
    for t in (0.0, 0.5, 1.0):
        assert_near(velocity(noise, torch.tensor([t])), truth(f"velocity_t{t}"))
    latents = {n: euler(velocity, noise, n) for n in (1, 2, 4)}
    for n, z in latents.items():
        assert_near(z, truth(f"euler{n}"))
    assert_near(nets["vae"].decode(latents[2]), truth("decoded_euler2"))


def test_time_features() -> None:
    features = embed_time(torch.tensor([0.0, 0.5]), 4)
    torch.testing.assert_close(features[0], torch.tensor([0.0, 0.0, 1.0, 1.0]))
    torch.testing.assert_close(
        features[1], torch.tensor([0.47942554, 0.005, 0.87758256, 0.9999875])
    )


def test_discriminator_looks_at_31_patches_a_side() -> None:
    with torch.device("meta"):
        assert NETS["discriminator"]("albedo16")(torch.empty(1, 3, 256, 256)).shape == (
            1,
            1,
            31,
            31,
        )
