"""The published networks as decomposers, and their fast form against a plain restatement."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from iid_latent.shared.consistent import consistent
from iid_latent.usi3d.original import OriginalDecomposer, build, build_for
from iid_latent.usi3d.original.inference import draw, infer, open_networks
from iid_latent.usi3d.original.networks import Domain, Separate, initialise
from intrinsic_cli.api import Runtime, WeightsError
from intrinsic_cli.kit.light.colour import srgb_to_linear
from intrinsic_cli.kit.networks.checkpoint import state_of

State = Mapping[str, Mapping[str, Tensor]]
Layers = tuple[Tensor, Tensor]
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Options:
    exact: bool = True
    size: int = 0


def near(ours: Layers, theirs: Layers) -> None:
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, atol=1e-4, rtol=0)


@pytest.fixture(scope="module")
def state() -> State:
    """Small networks with random weights, made here."""
    torch.manual_seed(0)
    return state_of(build("MPI", dim=8))


def photos(batch: int, height: int, width: int) -> Tensor:
    return torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(height))


@pytest.mark.parametrize("size", [(16, 16), (17, 31), (64, 48), (40, 100)])
@torch.inference_mode()
def test_all_forms_agree(
    size: tuple[int, int], state: State, plain: Callable[[State, Tensor], Layers]
) -> None:
    x = photos(2, *size)
    theirs = plain(state, x)
    assert theirs[0].shape == (2, 3, size[0] // 4 * 4, size[1] // 4 * 4)
    near(infer(build_for(state), x), theirs)
    near(open_networks(state, CPU)(x), theirs)


@torch.inference_mode()
def test_full_width_agrees(plain: Callable[[State, Tensor], Layers]) -> None:
    torch.manual_seed(0)
    domain, fea_s = Domain(), Separate()
    for net in (domain, fea_s):
        initialise(net, discriminator=False)
    full = dict.fromkeys(("gen_i", "gen_r", "gen_s"), domain.state_dict()) | {
        "fea_s": fea_s.state_dict()
    }
    x = photos(1, 64, 48)
    near(open_networks(full, CPU)(x), plain(full, x))


@pytest.mark.parametrize("case", ["a", "b", "c", "batch"])
def test_parity(case: str, tiny_state: State, truth: Callable[[str], Tensor]) -> None:
    ours = open_networks(tiny_state, CPU)(truth(f"{case}_x"))
    near(ours, (truth(f"{case}_out_r"), truth(f"{case}_out_s")))


def test_parity_of_the_authors_images(
    tiny_state: State, shared_file: Callable[[str], Path]
) -> None:
    """Resized to a short side of 70, decomposed, stretched to the image's own range and stored as
    8 bits."""
    archive = np.load(shared_file("tiny/parity_pipeline.npz"))
    layers = open_networks(tiny_state, CPU)(torch.from_numpy(archive["x"]))
    near(layers, (torch.from_numpy(archive["raw_r"]), torch.from_numpy(archive["raw_s"])))
    for name, layer in zip("rs", layers, strict=True):
        stretched = (layer[0] - layer.min()) / (layer.max() - layer.min())
        theirs = np.asarray(Image.open(shared_file(f"tiny/pipeline_out_{name}.png"))).astype(int)
        ours = (stretched.permute(1, 2, 0) * 255).numpy()
        assert np.abs(ours - theirs).max() <= 1.01


def opened(state: State, variant: str = "MPI", **options: Any) -> OriginalDecomposer:
    return OriginalDecomposer(variant, state, Options(**options), Runtime(CPU))


def test_frames(state: State) -> None:
    frame = opened(state).frame
    assert (frame.size, frame.multiple, frame.encoding, frame.upsample) == (
        300,
        4,
        "srgb",
        "divide",
    )
    assert opened(state, "MIT", exact=False).frame.size == 220
    assert opened(state, "MIT", exact=False).frame.upsample == "resize"
    assert opened(state, size=64).frame.size == 64


def test_exact_layers_multiply_to_the_photo(state: State) -> None:
    x = photos(2, 32, 24)
    layers = opened(state)(x)
    torch.testing.assert_close(
        layers["albedo"] * layers["shading"], srgb_to_linear(x), atol=1e-6, rtol=1e-5
    )


def test_drawn_layers_are_the_raw_output_clipped_and_linear(state: State) -> None:
    x = photos(1, 32, 24)
    layers, raw = opened(state, exact=False)(x), open_networks(state, CPU)(x)
    assert min(layer.min() for layer in raw) < 0, "this network must show what clipping does"
    torch.testing.assert_close(layers["albedo"], srgb_to_linear(raw[0].clamp(0, 1)))
    torch.testing.assert_close(
        layers["shading"], srgb_to_linear(raw[1].clamp(0, 1)).clamp(min=1e-4)
    )


@pytest.mark.parametrize("size", [(1, 1), (4, 4), (15, 20), (18, 33)])
def test_any_size_comes_back(size: tuple[int, int], state: State) -> None:
    assert [layer.shape[-2:] for layer in draw(open_networks(state, CPU), photos(1, *size))] == [
        size,
        size,
    ]


def test_what_is_missed_is_shared_equally() -> None:
    albedo, shading = consistent(*(torch.full((1, 3, 1, 1), x) for x in (0.36, 0.5, 0.5)))
    torch.testing.assert_close(albedo, torch.full((1, 3, 1, 1), 0.6), atol=1e-3, rtol=0)
    torch.testing.assert_close(shading, albedo, atol=1e-3, rtol=0)
    photo = torch.tensor([0.2, 0.4, 0.0]).view(1, 3, 1, 1)
    albedo, gray = consistent(photo, torch.rand(1, 3, 1, 1), torch.zeros(1, 1, 1, 1))
    assert gray.shape == (1, 1, 1, 1)
    torch.testing.assert_close(albedo * gray, photo)


def test_codec_noise_of_dark_pixels_does_not_get_into_shading() -> None:
    photo = torch.full((1, 3, 1, 3), 0.5)
    photo[..., 1:] = torch.tensor(
        [1e-4, 1e-6]
    )  # as good as black, though a factor of a hundred apart
    _, shading = consistent(photo, torch.full_like(photo, 1e-3), torch.full_like(photo, 0.1))
    assert float(shading[..., 1].max() / shading[..., 2].min()) < 1.1


def test_black_and_white_photos_stay_finite(state: State) -> None:
    for value in (0.0, 1.0):
        layers = opened(state)(torch.full((1, 3, 32, 32), value))
        assert all(torch.isfinite(layer).all() and (layer >= 0).all() for layer in layers.values())


def test_without_a_map_styles_are_drawn_once_and_for_all(state: State) -> None:
    unmapped = {name: part for name, part in state.items() if not name.startswith("fea")}
    run, x = open_networks(unmapped, CPU), photos(2, 32, 24)
    both = run(x)
    near(tuple(layer[1:] for layer in both), run(x[1:]))  # type: ignore[arg-type]  # a pair
    assert not torch.allclose(both[0], open_networks(state, CPU)(x)[0], atol=1e-2)


def test_missing_networks_are_named(state: State) -> None:
    critics = {name: part for name, part in state.items() if name.startswith("dis")}
    with pytest.raises(WeightsError, match="no network 'gen_i'"):
        opened(critics)
