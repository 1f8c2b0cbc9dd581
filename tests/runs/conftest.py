"""Lets these tests import the methods they share, and gives them a little dataset,
weights of the method of two stages, and photos that count as large."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.networks.checkpoint import save_weights
from intrinsic_cli.runs.decompose import large

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def lab(tmp_path: Path) -> str:
    """Three flat objects under blotchy light, as ``mit:PATH``."""
    for number, name in enumerate(("apple", "box", "cup")):
        rng = np.random.default_rng(number)
        (tmp_path / "lab" / name).mkdir(parents=True)
        albedo = np.full((32, 40, 3), 0.2 + 0.6 * rng.random(3))
        shading = 0.3 + 0.7 * rng.random((8, 10, 1)).repeat(4, 0).repeat(4, 1)
        layers = {
            "reflectance": albedo,
            "shading": shading,
            "diffuse": albedo * shading,
            "mask": np.ones((32, 40)),
        }
        for layer, values in layers.items():
            path = tmp_path / "lab" / name / f"{layer}.png"
            cv2.imwrite(str(path), (values * 65535).astype(np.uint16))
    return f"mit:{tmp_path / 'lab'}"


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """Weights of both stages of ``two_stages``."""
    path = tmp_path / "given.safetensors"
    state = {name: {"weight": torch.full((1, 1, 1, 1), 0.75)} for name in ("code", "answer")}
    save_weights(path, state, {"method": "toy", "variant": ""})
    return path


@pytest.fixture
def in_strips(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every photo of 100 pixels is large; those that were done in strips."""
    done: list[Any] = []
    real = large.write_large

    def write(*given: Any) -> Any:
        done.append(given[1].path)
        return real(*given)

    monkeypatch.setattr(large, "LARGE", 100)
    monkeypatch.setattr("intrinsic_cli.runs.decompose.photos.write_large", write)
    return done
