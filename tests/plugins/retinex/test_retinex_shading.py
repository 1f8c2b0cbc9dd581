"""The idea of ``retinex``: what counts as paint, what the decomposer gives, and the shipped
weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import iid_retinex
from iid_retinex.method import Retinex
from iid_retinex.settings import RetinexOptions
from iid_retinex.shading import Thresholds, estimate_shading, keep_light, measure_steps
from intrinsic_cli.api import Decomposer, Runtime, WeightsError
from intrinsic_cli.kit.networks.checkpoint import load_weights, state_of

CPU = Runtime(torch.device("cpu"))
PAIR = torch.tensor([0.2, 0.1])


def checker(
    cell: int = 16,
    cells: int = 4,
    colours: tuple[tuple[float, ...], ...] = ((0.8,) * 3, (0.3,) * 3),
) -> Tensor:
    """A checkerboard of two paints, [1,3,H,W]."""
    place = torch.arange(cell * cells) // cell
    odd = (place[:, None] + place) % 2
    return torch.tensor(colours)[odd].permute(2, 0, 1)[None]


def ramp(size: int = 64) -> Tensor:
    """Light that falls off smoothly to the right and down, [1,1,H,W]."""
    fall = torch.linspace(0, 1, size)
    return (1.0 - 0.2 * fall[:, None] - 0.2 * fall)[None, None]


def decomposer(**options: Any) -> Decomposer:
    return Retinex().decomposer(
        state_of({"thresholds": Thresholds()}), RetinexOptions(**options), CPU
    )


def same_up_to_scale(a: Tensor, b: Tensor, tolerance: float) -> bool:
    ratio = (a / b).log()
    return float((ratio - ratio.mean()).abs().max()) < tolerance


def test_steep_steps_are_paint_and_gentle_ones_light() -> None:
    down, right = keep_light(measure_steps(checker() * ramp()), PAIR)
    edges = torch.zeros(63, dtype=torch.bool)
    edges[15::16] = True
    assert (right[..., edges] == 0).all()
    assert (down[..., edges, :] == 0).all()
    assert (right[..., ~edges] < 0).all()


def test_a_change_of_colour_is_paint_even_at_equal_brightness() -> None:
    scene = checker(colours=((0.6, 0.4, 0.5), (0.4, 0.6, 0.5)))
    _, right = keep_light(measure_steps(scene * ramp()), PAIR)
    assert (right[..., 15::16] == 0).all()
    _, blind = keep_light(measure_steps(scene * ramp()), torch.tensor([0.2, 9.0]))
    assert (blind[..., 15::16] != 0).all()


def test_a_checkerboard_on_a_ramp_comes_apart() -> None:
    shading = estimate_shading(checker() * ramp(), PAIR)
    assert same_up_to_scale(shading, ramp(), 0.05)


def test_an_object_on_black_comes_apart_alike() -> None:
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 8:50, 10:60] = 1
    shading = estimate_shading(checker() * ramp() * mask, PAIR)
    assert same_up_to_scale(shading[mask > 0], ramp()[mask > 0], 0.05)


def test_a_constant_photo_is_all_white_paint() -> None:
    layers = decomposer()(torch.full((2, 3, 9, 14), 0.3))
    assert torch.allclose(layers["albedo"], torch.ones(2, 3, 9, 14), atol=1e-5)
    assert torch.allclose(layers["shading"], torch.full((2, 1, 9, 14), 0.3), atol=1e-5)


def test_exposure_changes_the_light_and_not_the_paint() -> None:
    photo = torch.rand(1, 3, 33, 20, generator=torch.Generator().manual_seed(0))
    one, other = decomposer()(photo), decomposer()(photo / 8)
    assert torch.allclose(other["albedo"], one["albedo"], rtol=1e-4)
    assert torch.allclose(8 * other["shading"], one["shading"], rtol=1e-4)


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (2, 1), (31, 18)])
@pytest.mark.parametrize("light", [0.0, 1e-6, 0.5])
def test_any_size_and_any_darkness(size: tuple[int, int], light: float) -> None:
    photo = light * torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(1))
    layers = decomposer()(photo)
    assert layers["albedo"].shape == (2, 3, *size)
    assert layers["shading"].shape == (2, 1, *size)
    assert all(bool(layer.isfinite().all()) for layer in layers.values())
    assert (layers["shading"] > 0).all()


def test_options_stand_above_the_weights() -> None:
    photo = checker() * ramp()
    assert not torch.equal(
        decomposer()(photo)["shading"], decomposer(brightness=2.0, chroma=2.0)(photo)["shading"]
    )
    assert decomposer(size=0).frame.size is None
    assert decomposer(size=300).frame.size == 300


def test_weights_of_another_method_are_refused() -> None:
    with pytest.raises(WeightsError, match="no network 'thresholds'"):
        Retinex().decomposer({"vae": {}}, RetinexOptions(), CPU)


def test_shipped_weights_are_two_thresholds_and_where_they_come_from() -> None:
    state, record = load_weights(
        Path(iid_retinex.__file__).parent / "weights" / "retinex.safetensors"
    )
    brightness, chroma = state["thresholds"]["values"].tolist()
    assert 0 < chroma < brightness
    place = int(state["table"]["total"].argmin())
    assert state["table"]["brightness"][place] == brightness
    assert record["method"] == "retinex"
    assert record["data"].startswith("synth")
