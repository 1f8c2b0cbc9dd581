"""Weights, seed, precision, encoding and folder are those asked for; what differs is told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from decomposing import go, photo, tell
from light_method import DEFAULT, SPEC, Power, PowerDecomposer

from intrinsic_cli.api import Decomposer, Runtime, UsageError
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.photo import read_photo
from intrinsic_cli.kit.networks.checkpoint import save_weights
from intrinsic_cli.registry import Registry


def test_a_folder_that_cannot_be_written_to_is_found_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may write everywhere by the permission bits; a file system that takes no files says so
    only when asked for one."""

    def refuse(**_: Any) -> Any:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(UsageError, match=r"cannot write to .*read-only"):
        go(photo(tmp_path / "a.png"), out=tmp_path / "out")


def test_a_folder_whose_name_is_too_long_is_found_early(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot write to .*name too long"):
        go(photo(tmp_path / "a.png"), out=tmp_path / ("a" * 300))


def test_other_weights_than_the_shipped_ones_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = replace(SPEC, variants=(replace(DEFAULT, stages=("main",)),))
    package = tmp_path / "light_plugin"
    (package / "weights").mkdir(parents=True)
    (package / "__init__.py").write_text("from light_method import Power\n")
    monkeypatch.syspath_prepend(tmp_path)
    spec = replace(spec, target="light_plugin:Power")
    shipped, mine = package / "weights/power.safetensors", tmp_path / "mine.safetensors"
    for path in (shipped, mine):
        save_weights(path, {"net": {"x": torch.zeros(1)}}, {})
    registry = Registry({"power": spec})
    given = photo(tmp_path / "a.png")
    _, notes = tell(given, out=tmp_path / "out", registry=registry)
    assert "weights" not in notes
    _, notes = tell(given, out=tmp_path / "out", registry=registry, weights=str(mine))
    assert f"weights of power: {mine} (not those that came with it)" in notes


def test_what_was_asked_reaches_the_method(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Runtime] = []

    def decomposer(self: Power, state: Any, options: Any, runtime: Runtime) -> Decomposer:
        seen.append(runtime)
        return PowerDecomposer(options)

    monkeypatch.setattr(Power, "decomposer", decomposer)
    more = {"seed": 5, "precision": "bf16", "method": "power:soft"}
    go(photo(tmp_path / "a.png"), out=tmp_path / "out", **more)
    (runtime,) = seen
    assert (runtime.seed, runtime.precision, runtime.variant) == (5, "bf16", "soft")


def test_photos_are_understood_as_asked(tmp_path: Path) -> None:
    path = photo(tmp_path / "a.png")
    for encoding in ("srgb", "linear"):
        out = tmp_path / encoding
        go(path, out=out, input_encoding=encoding, format="npz")
        assert json.loads((out / "a.iid.json").read_text())["encoding"] == encoding
        with np.load(out / "a.npz") as layers:
            made = layers["albedo"] * layers["shading"]
        assert np.allclose(made, read_photo(path, encoding).pixels, atol=1e-5)


def test_light_beyond_half_precision_is_told(tmp_path: Path) -> None:
    light = np.full((16, 16, 3), 0.5, np.float32)
    light[:4] = 3e5
    cv2.imwrite(str(tmp_path / "sun.tiff"), light)
    (report,) = go(tmp_path / "sun.tiff", out=tmp_path / "out", format="exr").inputs
    assert any("beyond what half precision holds" in note for note in report.notes), report
    (report,) = go(tmp_path / "sun.tiff", out=tmp_path / "out", format="exr32").inputs
    assert not report.notes
