"""Photos through a network: sizes, encodings, lifting, batches, memory that runs out; and the
stream around it."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from intrinsic_cli.api import DataError, Frame, IidError, Mesh, PluginError, Runtime
from intrinsic_cli.kit.files.photo import Photo
from intrinsic_cli.kit.inference.pipeline import decompose_photo, decompose_photos, network_size
from intrinsic_cli.kit.inference.stream import Crew, Stream
from intrinsic_cli.kit.light.colour import linear_to_srgb

CPU = Runtime(torch.device("cpu"))
FRAMES = [
    Frame(),
    Frame(multiple=32),
    Frame(size=64, multiple=32),
    Frame(size=64, multiple=8, encoding="srgb"),
    Frame(size=64, multiple=8, upsample="resize"),
]


class Fake:
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


def test_normals_stay_of_unit_length() -> None:
    normals = functional.normalize(torch.randn(1, 3, 5, 5), dim=1)
    layer = decompose_photo(Fake(Frame(), normals=normals), photo(40, 40), CPU).layers["normals"]
    assert np.allclose(np.linalg.norm(layer, axis=2), 1, atol=1e-5)


def test_meshes_travel_beside_the_layers() -> None:
    mesh = Mesh([], [])
    result = decompose_photo(Fake(Frame(), bird=[mesh]), photo(8, 8), CPU)
    assert result.meshes == {"bird": mesh}
    assert "bird" not in result.layers


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (torch.zeros(1, 2, 8, 8), r"layer 'odd' as \(1, 2, 8, 8\)"),
        (torch.zeros(2, 3, 8, 8), "layer 'odd'"),
        (torch.zeros(3, 8, 8), "layer 'odd'"),
        (torch.full((1, 3, 8, 8), torch.nan), "'odd' with values that are not finite"),
        ([], "0 meshes 'odd' for 1 photos"),
    ],
)
def test_a_plugin_that_breaks_the_contract_is_named(layer: Any, words: str) -> None:
    with pytest.raises(PluginError, match=words):
        decompose_photo(Fake(Frame(), odd=layer), photo(8, 8), CPU)


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

    def __init__(self, most: int) -> None:
        super().__init__(Frame())
        self.most = most

    def __call__(self, photos: Tensor) -> Mapping[str, Any]:
        if len(photos) > self.most:
            raise torch.OutOfMemoryError("no more")
        return super().__call__(photos)


def test_memory_that_runs_out_halves_the_batch_and_says_so() -> None:
    notes: list[str] = []
    decomposer = Hungry(most=2)
    results = decompose_photos(decomposer, [photo(8, 8)] * 8, CPU, notes.append)
    assert len(results) == 8
    assert [len(seen) for seen in decomposer.seen] == [2, 2, 2, 2]
    assert notes[0] == "out of memory with 8 photos at a time; going on with 4"
    with pytest.raises(IidError, match="ran out of memory"):
        decompose_photos(Hungry(most=0), [photo(8, 8)], CPU)


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


class Belt:
    """A stream of numbers that keeps count of what is under way."""

    def __init__(self, crew: Crew) -> None:
        self.lock, self.inside, self.most = threading.Lock(), 0, 0
        self.groups: list[list[int]] = []
        self.stream: Stream[int, int, int, str] = Stream(
            self.read, self.work, self.write, lambda x: x // 10, crew
        )

    def read(self, item: int) -> int:
        if item % 7 == 5:
            raise DataError(f"{item} is broken")
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        return item

    def work(self, group: Sequence[int]) -> list[int]:
        self.groups.append(list(group))
        if 8 in group:
            raise PluginError("cannot do 8")
        return [-x for x in group]

    def write(self, item: int, loaded: int, made: int) -> str:
        time.sleep(0.002)
        with self.lock:
            self.inside -= 1
        assert made == -loaded == -item
        if item == 17:
            raise IidError("disk full")
        return f"wrote {item}"


@pytest.mark.parametrize(
    "crew", [Crew(), Crew(readers=3, batch=4, writers=2), Crew(batch=100), Crew(4, 1, 4)]
)
def test_a_stream_keeps_order_and_loses_nothing(crew: Crew) -> None:
    belt = Belt(crew)
    outcomes = list(belt.stream.run(range(40)))
    assert [item for item, _ in outcomes] == list(range(40))
    failed = {item: str(outcome) for item, outcome in outcomes if isinstance(outcome, IidError)}
    assert failed == {n: f"{n} is broken" for n in (5, 12, 19, 26, 33)} | {
        8: "cannot do 8",
        17: "disk full",
    }
    assert all(outcome == f"wrote {item}" for item, outcome in outcomes if item not in failed)
    assert all(
        len(group) <= crew.batch and len({x // 10 for x in group}) == 1 for group in belt.groups
    )
    assert belt.most <= crew.readers + crew.batch + crew.writers + 1


def test_a_stream_batches_what_agrees() -> None:
    belt = Belt(Crew(readers=2, batch=4))
    list(belt.stream.run([0, 1, 2, 3, 4, 10, 11, 20]))
    assert belt.groups == [[0, 1, 2, 3], [4], [10, 11], [20]]


def test_a_stream_given_up_stops_reading() -> None:
    belt = Belt(Crew())
    run = belt.stream.run(range(10**6))
    assert next(run)[0] == 0
    run.close()
    assert belt.most < 5
