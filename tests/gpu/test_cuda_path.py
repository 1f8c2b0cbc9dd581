"""Photos that travel to a GPU as codes, and back as those of their layers, give what the CPU gives.
Run with ``pytest -m gpu`` on a machine with CUDA; skipped elsewhere."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from device_photos import PHOTOS, check_alike, codes_of, has_alpha, layer_codes
from strip_methods import NAMES, Toy, opened, picture

from intrinsic_cli.api import Runtime
from intrinsic_cli.kit.files.photo import read_photo
from intrinsic_cli.kit.inference.batches import Network
from intrinsic_cli.kit.inference.device_rows import DeviceRows
from intrinsic_cli.kit.inference.room import Room, quiet
from intrinsic_cli.kit.inference.strip_batches import make_strips_of
from intrinsic_cli.requests import DecomposeRequest
from intrinsic_cli.runs.decompose.run import decompose

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device"),
]

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("name", PHOTOS)
def test_codes_are_those_of_the_cpu(name: str, bits: int) -> None:
    decomposer = Toy("divide", alpha=has_alpha(name))
    data = PHOTOS[name]()
    meant = layer_codes(data, decomposer, CPU, bits)
    check_alike(layer_codes(data, decomposer, CUDA, bits), meant, bits)


@pytest.mark.parametrize("upsample", NAMES)
def test_photos_of_several_strips_are_those_of_one(upsample: Any) -> None:
    decomposer = Toy(upsample, alpha=False)
    data = picture("RGB")
    meant = layer_codes(data, decomposer, CPU, 8)
    check_alike(layer_codes(data, decomposer, CUDA, 8, Room(strip=9000)), meant, 8)


def test_codes_wait_in_memory_that_the_gpu_reads_by_itself() -> None:
    photo = DeviceRows(opened(picture("RGB")), CUDA)
    assert photo._codes.is_pinned()
    assert photo.planes(slice(0, 9)).device.type == "cuda"


def test_threads_that_write_wait_for_no_batch_and_mix_nothing_up() -> None:
    """Layers come to full size in several threads while the network runs."""
    decomposer = Toy("divide", alpha=False)
    meant = layer_codes(picture("RGB"), decomposer, CPU, 8)
    network = Network(decomposer, Runtime(CUDA), {}, quiet, Room())
    with ThreadPoolExecutor(4) as pool:
        coming = []
        for _ in range(6):
            photos = [DeviceRows(opened(picture("RGB")), CUDA) for _ in range(4)]
            for photo, (strips, _) in zip(photos, make_strips_of(network, photos), strict=True):
                coming.append(pool.submit(codes_of, photo, strips, decomposer, 8))
        for done in coming:
            check_alike(done.result(), meant, 8)


@pytest.mark.parametrize("form", ["png", "png16", "jpg"])
def test_a_folder_is_that_of_the_cpu(form: str, tmp_path: Path) -> None:
    """With a method that does the same on both."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(3):
        (photos / f"{number}.png").write_bytes(picture("RGB", 403 + number, 357))
    layers = {}
    for device in ("cpu", "cuda"):
        out = tmp_path / device
        asked = DecomposeRequest(
            (photos,), "retinex", out, format=form, device=device, options=("size=128",)
        )
        report = decompose(asked)
        assert report.count("done") == 3
        layers[device] = [item.layers for item in report.inputs]
    for one, other in zip(layers["cpu"], layers["cuda"], strict=True):
        for name, path in one.items():
            first, second = read_photo(Path(path)), read_photo(Path(other[name]))
            assert np.abs(first.pixels - second.pixels).mean() < 0.01
