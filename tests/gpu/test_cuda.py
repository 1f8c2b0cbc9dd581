"""What must hold on an accelerator. Run with ``pytest -m gpu`` on a machine with CUDA; skipped
elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from intrinsic_cli.api import Decomposition
from intrinsic_cli.kit.files.photo import Photo
from intrinsic_cli.kit.networks.device import pick_device, pick_precision
from intrinsic_cli.requests import DecomposeRequest, TrainRequest
from intrinsic_cli.runs.decompose.run import decompose
from intrinsic_cli.runs.session import Session, choose
from intrinsic_cli.runs.train.run import train

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device"),
]

SAMPLE = Path(__file__).parents[2] / "intrinsic_cli/samples/coffee.png"
SMALL = ("batch_size=2", "crop=32", "val_batches=1", "vae_steps=3", "pretrained=no")


def take_apart(device: str, precision: str, copies: int = 1) -> list[Decomposition]:
    session = Session(choose("flow"), device, precision)
    scene = np.random.default_rng(0).random((12, 16, 3), np.float32).repeat(20, 0).repeat(20, 1)
    photo = Photo(pixels=scene, alpha=None, encoding="srgb", bits=8, clipped=0.0)
    return session.many([photo] * copies)


def difference(a: Decomposition, b: Decomposition) -> float:
    """Median relative difference of shading."""
    return float(np.median(np.abs(a.layers["shading"] / b.layers["shading"] - 1)))


def test_auto_picks_cuda() -> None:
    device = pick_device("auto")
    assert device.type == "cuda"
    assert pick_precision("auto", device) in ("bf16", "fp32")


def test_cuda_agrees_with_the_cpu() -> None:
    assert difference(take_apart("cuda", "fp32")[0], take_apart("cpu", "fp32")[0]) < 1e-2


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_agrees_with_full(precision: str) -> None:
    assert difference(take_apart("cuda", precision)[0], take_apart("cuda", "fp32")[0]) < 3e-2


def test_a_batch_agrees_with_one_photo() -> None:
    batch, one = take_apart("cuda", "fp32", copies=4), take_apart("cuda", "fp32")[0]
    assert max(difference(item, one) for item in batch) < 1e-2


def test_a_folder_is_done_on_cuda(tmp_path: Path) -> None:
    report = decompose(DecomposeRequest((SAMPLE,), out=tmp_path, device="cuda"))
    assert report.count("done") == 1


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_training_runs_and_resumes_on_cuda(tmp_path: Path, precision: str) -> None:
    cut = TrainRequest(
        "flow",
        out=tmp_path / "run",
        overrides=SMALL,
        steps=3,
        seconds=0.0,
        device="cuda",
        precision=precision,
    )
    assert not train(cut).finished
    assert train(
        TrainRequest("flow", resume=tmp_path / "run", device="cuda", precision=precision)
    ).finished
