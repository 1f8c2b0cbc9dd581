"""Layers that add up: full along the photo's edges, never negative, and their sum is the
photo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from intrinsic_cli.api import Decomposer, Frame, Runtime
from intrinsic_cli.api.outputs import kind_of
from intrinsic_cli.kit.files.layers import StoredLayer, quantise, rebuild_error
from intrinsic_cli.kit.files.photo import Photo
from intrinsic_cli.kit.inference.pipeline import decompose_photo
from intrinsic_cli.kit.light.resize import resize
from intrinsic_cli.kit.light.upsample_sums import split_sum, upsample_summand

CPU = Runtime(torch.device("cpu"))
SIZE = (192, 256)


def board(cell: int, low: float, high: float) -> Tensor:
    """A checkerboard [1,3,H,W] with cells that no small pixel fits."""
    y, x = torch.meshgrid(torch.arange(SIZE[0]), torch.arange(SIZE[1]), indexing="ij")
    tint = torch.tensor([1.0, 0.8, 0.6]).view(1, 3, 1, 1)
    return (low + (high - low) * ((y // cell + x // cell) % 2))[None, None] * tint


def small(image: Tensor) -> Tensor:
    return resize(image, (SIZE[0] // 4, SIZE[1] // 4))


def error(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().mean())


def test_a_sharp_reflection_gets_its_edges_from_the_photo() -> None:
    reflection, transmission = board(29, 0.05, 0.3), torch.full((1, 3, *SIZE), 0.4)
    full = upsample_summand(transmission + reflection, small(reflection))
    assert error(full, reflection) < 0.5 * error(resize(small(reflection), SIZE), reflection)


def test_edges_behind_the_glass_stay_behind_it() -> None:
    veil = torch.linspace(0.05, 0.2, SIZE[1]).expand(1, 3, *SIZE)
    full = upsample_summand(board(29, 0.2, 0.7) + veil, small(veil))
    assert float((full - veil).abs().max()) < 0.005


def test_no_seams_between_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = board(29, 0.1, 0.4) + board(17, 0.0, 0.2)
    parts = {"reflection": small(board(17, 0.0, 0.2)), "flare": torch.rand(1, 1, 9, 9) * 0.2}
    whole = split_sum(photo, parts, small(photo))
    monkeypatch.setattr("intrinsic_cli.kit.light.resize.BAND_PIXELS", SIZE[1] * 7)
    again = split_sum(photo, parts, small(photo))
    assert all(torch.allclose(whole[name], again[name], atol=1e-6) for name in whole)


@pytest.mark.parametrize("size", [(3, 5), (1, 1), (97, 131), (16, 700), (33, 32)])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_sum_is_the_photo_and_nothing_is_negative(size: tuple[int, int], channels: int) -> None:
    torch.manual_seed(0)
    photo = torch.rand(2, 3, *size) ** 4
    photo[0, :, 0] = 0.0
    parts = {
        "reflection": torch.rand(2, channels, 32, 32) - 0.2,
        "flare": torch.rand(2, channels, 8, 8),
    }
    layers = split_sum(photo, parts, resize(photo, (32, 32)))
    assert list(layers) == ["reflection", "flare", "transmission"]
    assert all(layer.shape == photo.shape and float(layer.min()) >= 0 for layer in layers.values())
    assert torch.allclose(sum(layers.values(), torch.zeros(())), photo, atol=1e-6)


def test_what_exceeds_the_photo_is_scaled_down_alike() -> None:
    photo = torch.full((1, 3, 8, 8), 0.3)
    layers = split_sum(photo, {"reflection": photo * 1.0, "flare": photo / 3}, photo)
    assert torch.allclose(layers["reflection"], torch.tensor(0.225))
    assert torch.allclose(layers["flare"], torch.tensor(0.075))
    assert float(layers["transmission"].max()) < 1e-7


def test_same_size_is_kept_and_input_unchanged() -> None:
    photo, part = torch.rand(1, 3, 20, 30) + 0.5, torch.rand(1, 3, 20, 30) * 0.5
    before = part.clone()
    assert torch.equal(split_sum(photo, {"reflection": part}, photo)["reflection"], before)
    assert torch.equal(part, before)


class Pane(Decomposer):
    """Mirrors a fifth, veils a tenth, and knows where the glass is."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame

    def __call__(self, photos: Tensor) -> Mapping[str, Any]:
        gray = photos.mean(1, keepdim=True)
        return {
            "transmission": photos * 9,
            "reflection": photos / 5,
            "flare": gray / 10,
            "mask": gray.clamp(0, 1),
        }


@pytest.mark.parametrize(
    "frame", [Frame(upsample="subtract"), Frame(size=32, multiple=16, upsample="subtract")]
)
@pytest.mark.parametrize("gain", [1.0, 40.0])
def test_through_the_pipeline(frame: Frame, gain: float) -> None:
    pixels = np.random.default_rng(0).random((75, 101, 3)).astype(np.float32) * gain
    layers = decompose_photo(Pane(frame), Photo(pixels), CPU).layers
    summands = [layers[name] for name in ("transmission", "reflection", "flare")]
    assert all(layer.shape == (75, 101, 3) and layer.min() >= 0 for layer in summands)
    assert np.allclose(sum(summands), pixels, rtol=1e-6, atol=1e-6)
    assert layers["reflection"].mean() == pytest.approx(pixels.mean() / 5, rel=0.1)
    assert layers["mask"].shape == (75, 101, 1)
    assert layers["mask"].max() <= 1


def test_the_sidecar_measures_the_sum() -> None:
    rng = np.random.default_rng(0)
    made = {
        name: rng.random((40, 50, 3), dtype=np.float32) / 3
        for name in ("transmission", "reflection", "flare")
    }
    photo = np.asarray(sum(made.values()), np.float32)
    exact = {name: StoredLayer(layer) for name, layer in made.items()}
    assert rebuild_error(photo, exact) == pytest.approx(0, abs=1e-7)
    coded = rebuild_error(
        photo, {name: quantise(layer, kind_of(name), 8) for name, layer in made.items()}
    )
    assert coded is not None
    assert 1e-4 < coded < 0.005
    assert rebuild_error(photo, {name: exact[name] for name in ("transmission", "flare")}) is None
    assert rebuild_error(photo + 0.1, exact) == pytest.approx(0.1, rel=1e-4)
