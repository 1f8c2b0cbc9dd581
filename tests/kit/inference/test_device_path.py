"""Layers made by the path of other devices are those of the CPU, tried on the CPU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from device_photos import PHOTOS, Coded, check_alike, codes_of, has_alpha, layer_codes
from strip_methods import NAMES, Toy, opened, picture

from intrinsic_cli.api import IidError, Runtime
from intrinsic_cli.kit.inference import device_layers, device_rows, paths
from intrinsic_cli.kit.inference.batches import Network
from intrinsic_cli.kit.inference.device_rows import DeviceRows
from intrinsic_cli.kit.inference.room import Room
from intrinsic_cli.kit.inference.rows import Rows
from intrinsic_cli.kit.inference.strip_batches import make_strips_of
from intrinsic_cli.kit.light import resize

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def narrow_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resize, "BAND_PIXELS", 6000)


@pytest.fixture
def as_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CPU has no code of its own."""
    monkeypatch.setattr(paths, "OWN", ())


def by_the_cpu(data: bytes, decomposer: Toy, bits: int) -> Coded:
    """By its own path."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "OWN", ("cpu",))
        return layer_codes(data, decomposer, CPU, bits)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("name", PHOTOS)
def test_codes_are_those_of_the_cpu(name: str, bits: int, as_a_device: None) -> None:
    decomposer = Toy("divide", alpha=has_alpha(name))
    data = PHOTOS[name]()
    meant = by_the_cpu(data, decomposer, bits)
    check_alike(layer_codes(data, decomposer, CPU, bits), meant, bits)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("upsample", NAMES)
def test_photos_of_several_strips_are_those_of_one(
    upsample: Any, bits: int, as_a_device: None
) -> None:
    decomposer = Toy(upsample, alpha=False)
    data = picture("RGB")
    meant = by_the_cpu(data, decomposer, bits)
    room = Room(strip=9000)
    check_alike(layer_codes(data, decomposer, CPU, bits, room), meant, bits)
    assert room.strip == 9000


@pytest.mark.parametrize("name", PHOTOS)
def test_light_is_that_of_the_cpu(name: str) -> None:
    data = PHOTOS[name]()
    meant = opened(data)
    found = DeviceRows(opened(data), CPU)
    for rows in (slice(0, 7), slice(60, 203)):
        light = found.planes(rows).numpy()
        assert np.allclose(light, meant.planes(rows), atol=2e-6)
        assert np.array_equal(found.rows(rows).pixels, meant.rows(rows).pixels)
        if has_alpha(name):
            assert np.array_equal(found.alpha(rows), meant.alpha(rows))


def test_without_memory_that_a_gpu_reads_any_other_will_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(tensor: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("no more of it")

    monkeypatch.setattr(torch.Tensor, "pin_memory", refuse)
    codes = np.arange(24, dtype=np.uint16).reshape(2, 4, 3) * 2700
    kept = device_rows._pinned(codes, torch.device("cuda"))
    assert np.array_equal(kept.numpy().view(np.uint16), codes)


class Counts(Toy):
    """Tells how many photos come at a time; there is memory for so many ``most``."""

    def __init__(self, most: int = 99) -> None:
        super().__init__("divide", alpha=False)
        self.most = most
        self.batches: list[int] = []

    def __call__(self, photos: torch.Tensor) -> Mapping[str, torch.Tensor]:
        self.batches.append(len(photos))
        if len(photos) > self.most:
            raise torch.OutOfMemoryError("no more")
        return super().__call__(photos)


def network_of(decomposer: Counts, notes: list[str]) -> Network:
    return Network(decomposer, Runtime(CPU), {}, notes.append, Room())


def rows_of(*sizes: tuple[int, int]) -> list[Rows]:
    return [DeviceRows(opened(picture("RGB", *size)), CPU) for size in sizes]


def test_photos_of_one_size_run_together_in_their_order(as_a_device: None) -> None:
    decomposer = Counts()
    sizes = [(203, 157), (157, 203), (205, 158), (203, 157)]
    photos = rows_of(*sizes)
    made = make_strips_of(network_of(decomposer, []), photos)
    assert decomposer.batches == [3, 1]
    for photo, (strips, _), size in zip(photos, made, sizes, strict=True):
        assert strips.size == size
        alone = by_the_cpu(picture("RGB", *size), Counts(), 8)
        check_alike(codes_of(photo, strips, decomposer, 8), alone, 8)


def test_without_memory_for_a_batch_it_is_halved_and_said(as_a_device: None) -> None:
    decomposer, notes = Counts(most=1), list[str]()
    network = network_of(decomposer, notes)
    made = make_strips_of(network, rows_of(*[(203, 157)] * 4))
    assert decomposer.batches == [4, 2, 1, 1, 1, 1]
    assert [strips.room for strips, _ in made] == [network.room] * 4
    assert notes == [
        "out of memory with 4 photos at a time; going on with 2",
        "out of memory with 2 photos at a time; going on with 1",
    ]


def test_without_memory_for_one_photo_there_is_an_error(as_a_device: None) -> None:
    with pytest.raises(IidError, match="cpu ran out of memory"):
        make_strips_of(network_of(Counts(most=0), []), rows_of((203, 157)))


@pytest.fixture
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """For layers of no more than 60 rows."""
    real = device_layers.encoded

    def encoded(layer: torch.Tensor, *given: Any) -> torch.Tensor:
        if layer.shape[2] > 60:
            raise torch.OutOfMemoryError("no more")
        return real(layer, *given)

    monkeypatch.setattr(device_layers, "encoded", encoded)


def test_without_memory_for_a_strip_it_is_halved_and_said(
    as_a_device: None, little_memory: None
) -> None:
    decomposer, notes = Counts(), list[str]()
    photos = rows_of((203, 157), (203, 157))
    made = make_strips_of(network_of(decomposer, notes), photos)
    meant = by_the_cpu(picture("RGB"), Counts(), 8)
    for photo, (strips, _) in zip(photos, made, strict=True):
        check_alike(codes_of(photo, strips, decomposer, 8), meant, 8)
    assert notes == [
        "out of memory with a strip of 0.0319 megapixels; going on with half as much",
        "out of memory with a strip of 0.0151 megapixels; going on with half as much",
    ]


def test_without_memory_for_the_smallest_strip_there_is_an_error(
    as_a_device: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def encoded(*given: Any) -> torch.Tensor:
        raise torch.OutOfMemoryError("no more")

    monkeypatch.setattr(device_layers, "encoded", encoded)
    with pytest.raises(IidError, match="cpu ran out of memory"):
        layer_codes(picture("RGB"), Counts(), CPU, 8)


def test_other_errors_are_not_taken_for_it(
    as_a_device: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def encoded(*given: Any) -> torch.Tensor:
        raise RuntimeError("something else")

    monkeypatch.setattr(device_layers, "encoded", encoded)
    with pytest.raises(RuntimeError, match="something else"):
        layer_codes(picture("RGB"), Counts(), CPU, 8)


def test_the_type_of_a_device_tells_the_path() -> None:
    assert paths.path_for(CPU) is paths.CPU_PATH
    assert paths.path_for(torch.device("cuda", 1)) is paths.DEVICE_PATH
    assert paths.path_for(torch.device("mps")) is paths.DEVICE_PATH
