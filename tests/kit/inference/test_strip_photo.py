"""Where memory runs out a photo goes by strips, and its layers are those of the whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from intrinsic_cli.api import Decomposer, Frame, IidError, Runtime
from intrinsic_cli.kit.files.photo import Photo
from intrinsic_cli.kit.inference import batches
from intrinsic_cli.kit.inference.pipeline import decompose_photo, try_photos
from intrinsic_cli.kit.inference.room import Room
from intrinsic_cli.kit.inference.strip_photo import in_strips
from intrinsic_cli.kit.light import resize

CPU = Runtime(torch.device("cpu"))


class Halves(Decomposer):
    """Shading at half the size it is shown, as bright as blurred red."""

    def __init__(self, size: int | None = 48) -> None:
        self.frame = Frame(size=size, multiple=8)

    def __call__(self, photos: Tensor) -> Mapping[str, Tensor]:
        small = torch.nn.functional.avg_pool2d(photos, 2)
        shading = small[:, :1] + 0.05
        return {"albedo": small / shading, "shading": shading}


def photo(gain: float = 1.0, height: int = 120, width: int = 157) -> Photo:
    rng = np.random.default_rng(2)
    coarse = rng.random((12, 16, 3), np.float32)
    pixels = coarse.repeat(14, 0).repeat(14, 1)[:height, :width]
    return Photo(np.ascontiguousarray(pixels) * np.float32(gain))


@pytest.mark.parametrize("gain", [1.0, 5.0])
def test_strips_of_a_photo_in_memory_are_the_whole(
    gain: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resize, "BAND_PIXELS", 2000)
    whole = decompose_photo(Halves(), photo(gain), CPU).layers
    layers = in_strips(Halves(), photo(gain), CPU, {}).layers
    assert layers.keys() == whole.keys()
    for name, layer in layers.items():
        assert np.abs(layer - whole[name]).max() < 1e-3 * max(1, np.abs(whole[name]).max())


def narrow(monkeypatch: pytest.MonkeyPatch, pixels: int) -> list[int]:
    """Memory for photos of fewer ``pixels`` than these; how many were tried at a time."""
    tried: list[int] = []
    real = batches.to_full_size

    def full_size(shown: Any, *given: Any) -> Any:
        tried.append(shown.full.shape[-1] * shown.full.shape[-2])
        if tried[-1] >= pixels:
            raise torch.OutOfMemoryError("no more")
        return real(shown, *given)

    monkeypatch.setattr(batches, "to_full_size", full_size)
    return tried


def test_memory_that_does_not_hold_one_photo_cuts_it_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small = photo(height=60)
    whole = decompose_photo(Halves(), photo(), CPU).layers
    tried = narrow(monkeypatch, 120 * 157)
    notes: list[str] = []
    room = Room()
    for _ in range(2):  # the second time it is known
        results = try_photos(Halves(), [photo(), small, photo()], CPU, note=notes.append, room=room)
        layers = [result.layers for result in results if not isinstance(result, IidError)]
        assert len(layers) == 3
        assert np.abs(layers[0]["shading"] - whole["shading"]).max() < 1e-3
        assert layers[1]["albedo"].shape == (60, 157, 3)
    assert notes == [
        "out of memory with 2 photos at a time; going on with 1",
        "out of memory with a photo of 0.0188 megapixels; going on in strips",
    ]
    assert tried.count(120 * 157) == 2
    assert tried.count(60 * 157) == 2


def test_methods_that_see_every_pixel_cannot_be_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    narrow(monkeypatch, 1)
    with pytest.raises(IidError, match="cpu ran out of memory"):
        decompose_photo(Halves(size=None), photo(), CPU)
