"""Photos through a network: sizes, encodings, exposure, alpha, batches, memory that runs out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from intrinsic_cli.api import Decomposer, Frame, IidError, PluginError, Runtime
from intrinsic_cli.kit.files.photo import Photo
from intrinsic_cli.kit.inference.pipeline import decompose_photo, decompose_photos
from intrinsic_cli.kit.inference.prepare import network_size
from intrinsic_cli.kit.light.colour import linear_to_srgb

CPU = Runtime(torch.device("cpu"))
FRAMES = [
    Frame(),
    Frame(multiple=32),
    Frame(size=64, multiple=32),
    Frame(size=64, multiple=8, encoding="srgb"),
    Frame(size=64, multiple=8, upsample="resize"),
]


class Fake(Decomposer):
    """Shading is the photo's mean, at ``1/shrink`` of the size; remembers what it saw."""

    def __init__(self, frame: Frame, shrink: int = 1, **more: Any) -> None:
        self.frame, self.shrink, self.more = frame, shrink, more
        self.seen: list[Tensor] = []

    def __call__(self, photos: Tensor) -> Mapping[str, Any]:
        self.seen.append(photos.clone())
        shading = functional.avg_pool2d(photos.mean(1, keepdim=True) + 0.1, self.shrink)
        return {"albedo": shading.expand(-1, 3, -1, -1), "shading": shading, **self.more}


def photo(height: int, width: int, gain: float = 1.0) -> Photo:
    pixels = np.random.default_rng(0).random((height, width, 3)).astype(np.float32) * gain
    return Photo(pixels, np.ones((height, width), np.float32))


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("shrink", [1, 2, 4])
@pytest.mark.parametrize("size", [(37, 51), (200, 100), (20, 900), (64, 64)])
def test_layers_have_the_photos_size(frame: Frame, shrink: int, size: tuple[int, int]) -> None:
    given = photo(*size)
    decomposer = Fake(frame, shrink)
    result = decompose_photo(decomposer, given, CPU)
    assert {name: layer.shape for name, layer in result.layers.items()} == {
        "albedo": (*size, 3),
        "shading": (*size, 1),
    }
    assert all(layer.dtype == np.float32 for layer in result.layers.values())
    assert decomposer.seen[0].shape == (1, 3, *network_size(given, frame))
    assert result.photo is given.pixels
    assert result.alpha is given.alpha
    if frame.upsample == "divide":
        rebuilt = result.layers["albedo"] * result.layers["shading"]
        assert np.allclose(rebuilt, given.pixels, atol=1e-6), "every pixel of the photo stays"


def test_three_by_five_pixels() -> None:
    for frame in FRAMES:
        result = decompose_photo(Fake(frame), photo(3, 5), CPU)
        assert result.layers["albedo"].shape == (3, 5, 3)


def test_a_native_frame_changes_no_pixel_of_what_the_network_sees() -> None:
    given, decomposer = photo(37, 51), Fake(Frame(multiple=32))
    result = decompose_photo(decomposer, given, CPU)
    seen = decomposer.seen[0][0].permute(1, 2, 0).numpy()
    assert seen.shape == (64, 64, 3)
    assert np.array_equal(seen[:37, :51], given.pixels)
    assert np.allclose(result.layers["shading"], given.pixels.mean(2, keepdims=True) + 0.1)


def test_the_frame_says_the_encoding() -> None:
    given = photo(16, 16)
    for encoding in ("linear", "srgb"):
        decomposer = Fake(Frame(encoding=encoding))
        decompose_photo(decomposer, given, CPU)
        expected = given.pixels if encoding == "linear" else linear_to_srgb(given.pixels)
        assert np.allclose(decomposer.seen[0][0].permute(1, 2, 0), expected, atol=1e-6)


def test_light_beyond_white_is_exposed_and_given_back() -> None:
    given = photo(40, 40, gain=50.0)
    decomposer = Fake(Frame(size=20, multiple=4))
    result = decompose_photo(decomposer, given, CPU)
    assert decomposer.seen[0].max() <= 1
    assert result.layers["shading"].mean() > 20
    assert np.allclose(result.layers["albedo"] * result.layers["shading"], given.pixels, rtol=1e-5)


def test_a_residual_is_part_of_the_sum() -> None:
    given = photo(40, 40)
    residual = torch.full((1, 3, 40, 40), 0.01)
    layers = decompose_photo(Fake(Frame(), residual=residual), given, CPU).layers
    rebuilt = layers["albedo"] * layers["shading"] + layers["residual"]
    bright = given.pixels > 0.01
    assert np.allclose(rebuilt[bright], given.pixels[bright], atol=1e-6)


def test_kinds_say_what_grows_with_the_exposure() -> None:
    """Also for names of a method's own."""
    given = photo(40, 40, gain=50.0)
    one = torch.ones(1, 3, 40, 40)
    more: dict[str, Any] = {"glow": one, "paint": one, "relit": one, "residual": 0 * one}
    kinds = {"glow": "summand", "paint": "reflectance"}
    layers = decompose_photo(Fake(Frame(), **more), given, CPU, kinds).layers
    exposure = np.percentile(given.pixels.max(axis=2), 99)
    assert np.allclose(layers["glow"], exposure)
    assert np.allclose(layers["relit"], exposure)
    assert np.allclose(layers["paint"], 1)


def test_a_frame_with_alpha_sees_where_the_object_is() -> None:
    given = photo(37, 51)
    alpha = np.zeros((37, 51), np.float32)
    alpha[:20] = 1
    for frame in (Frame(alpha=True, multiple=32), Frame(alpha=True, size=16, encoding="srgb")):
        for mask, mean in ((alpha, 20 / 37), (None, 1.0)):
            decomposer = Drop(frame)
            decompose_photo(decomposer, Photo(given.pixels, mask), CPU)
            seen = decomposer.alpha
            height, width = network_size(given, frame)
            assert seen.shape == (1, 1, height, width)
            rows = 37 if frame.size is None else height
            assert seen[0, 0, :rows].mean() == pytest.approx(mean, abs=0.02)
            assert seen[0, 0, 0].min() == pytest.approx(1)


class Drop(Fake):
    """Takes the fourth channel off and keeps it."""

    def __call__(self, photos: Tensor) -> Mapping[str, Any]:
        assert photos.shape[1] == 4
        self.alpha = photos[:, 3:]
        return super().__call__(photos[:, :3])


def test_normals_stay_of_unit_length() -> None:
    normals = functional.normalize(torch.randn(1, 3, 5, 5), dim=1)
    layer = decompose_photo(Fake(Frame(), normals=normals), photo(40, 40), CPU).layers["normals"]
    assert np.allclose(np.linalg.norm(layer, axis=2), 1, atol=1e-5)


def test_a_batch_gives_what_single_photos_give() -> None:
    photos = [photo(60, 90), photo(66, 99, gain=0.5)]
    decomposer = Fake(Frame(size=32, multiple=16))
    assert network_size(photos[0], decomposer.frame) == network_size(photos[1], decomposer.frame)
    both = decompose_photos(decomposer, photos, CPU)
    assert [len(seen) for seen in decomposer.seen] == [2]
    for together, alone in zip(
        both, (decompose_photo(decomposer, one, CPU) for one in photos), strict=True
    ):
        for name, layer in together.layers.items():
            assert np.allclose(layer, alone.layers[name], atol=1e-6)


class Hungry(Fake):
    """Has memory for ``most`` photos."""

    def __init__(self, most: int, error: RuntimeError) -> None:
        super().__init__(Frame())
        self.most = most
        self.error = error

    def __call__(self, photos: Tensor) -> Mapping[str, Any]:
        if len(photos) > self.most:
            raise self.error
        return super().__call__(photos)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("no more"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to"),
        RuntimeError("could not create a primitive"),
    ],
)
def test_memory_that_runs_out_halves_the_batch_and_says_so(error: RuntimeError) -> None:
    notes: list[str] = []
    decomposer = Hungry(2, error)
    results = decompose_photos(decomposer, [photo(8, 8)] * 8, CPU, note=notes.append)
    assert len(results) == 8
    assert [len(seen) for seen in decomposer.seen] == [2, 2, 2, 2]
    assert notes[0] == "out of memory with 8 photos at a time; going on with 4"
    with pytest.raises(IidError, match="ran out of memory"):
        decompose_photos(Hungry(0, error), [photo(8, 8)], CPU)


def test_the_same_photo_gives_the_same_layers_twice() -> None:
    class Dice(Fake):
        def __call__(self, photos: Tensor) -> Mapping[str, Any]:
            return {"shading": torch.rand(len(photos), 1, 4, 4) + 0.1}

    one, two = (decompose_photo(Dice(Frame()), photo(16, 16), CPU) for _ in range(2))
    other = decompose_photo(Dice(Frame()), photo(16, 16), Runtime(torch.device("cpu"), seed=1))
    assert np.array_equal(one.layers["shading"], two.layers["shading"])
    assert not np.array_equal(one.layers["shading"], other.layers["shading"])


def test_other_failures_of_a_network_name_the_cause() -> None:
    class Wrong(Fake):
        def __call__(self, photos: Tensor) -> Mapping[str, Any]:
            return {"shading": photos @ torch.zeros(3, 3)}

    with pytest.raises(PluginError, match=r"the network failed: .*size"):
        decompose_photo(Wrong(Frame()), photo(8, 9), CPU)


def test_a_network_never_sees_more_than_white() -> None:
    given = photo(20, 20, gain=3.0)
    given.pixels[4, 4] = 500.0
    decomposer = Fake(Frame())
    layers = decompose_photo(decomposer, given, CPU).layers
    assert decomposer.seen[0].max() == 1
    assert np.allclose(layers["albedo"] * layers["shading"], given.pixels, rtol=1e-5)


def test_halves_of_a_batch_are_the_photos_in_their_order() -> None:
    photos = [photo(8, 8, gain) for gain in (0.2, 0.4, 0.6, 0.8, 1.0)]
    results = decompose_photos(Hungry(2, torch.OutOfMemoryError("no more")), photos, CPU)
    for result, given in zip(results, photos, strict=True):
        expected = given.pixels.mean(2, keepdims=True) + 0.1
        assert np.allclose(result.layers["shading"], expected, atol=1e-6)


def test_networks_run_at_the_precision_asked_for() -> None:
    class Multiplies(Fake):
        def __call__(self, photos: Tensor) -> Mapping[str, Any]:
            shading = functional.conv2d(photos, torch.ones(1, 3, 1, 1))
            self.dtype = shading.dtype
            return {"shading": shading}

    for precision, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        network = Multiplies(Frame())
        runtime = Runtime(torch.device("cpu"), precision)
        layer = decompose_photo(network, photo(8, 8), runtime).layers["shading"]
        assert network.dtype == dtype
        assert layer.dtype == np.float32


def test_an_albedo_is_never_negative_however_large_the_residual() -> None:
    layers = decompose_photo(
        Fake(Frame(), residual=torch.full((1, 3, 40, 40), 0.5)), photo(40, 40), CPU
    ).layers
    assert layers["albedo"].min() == 0
