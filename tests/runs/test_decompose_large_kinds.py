"""Large photos that come with a mask or are floats, and methods that have the last word: in strips
as whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from decomposing import FLAT, facts, go, photo
from light_method import PowerDecomposer
from PIL import Image

from intrinsic_cli.api import Decomposition
from intrinsic_cli.kit.files.exr import write_exr
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.photo import read_photo
from intrinsic_cli.runs.decompose import large

MASK = np.zeros((40, 52), np.uint8)
MASK[10:, 7:30] = 255
MASKS = {
    "as large": MASK,
    "smaller": MASK[::2, ::2],
    "larger": MASK.repeat(3, 0).repeat(3, 1),
    "a cut-out": np.dstack([FLAT[..., :3], MASK]),
}


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("form", ["png", "exr32"])
@pytest.mark.parametrize("own", ["cpu", "other"])
def test_masks_of_large_photos_are_those_of_the_whole(
    name: str,
    form: str,
    own: str,
    tmp_path: Path,
    in_strips: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(FLAT[..., :3]).resize((182, 140)).save(path)
    mask = tmp_path / "m.png"
    Image.fromarray(MASKS[name]).save(mask)
    given = {"format": form, "mask": mask}
    large.LARGE = 10**9
    whole = go(path, out=tmp_path / "whole", **given).inputs[0]
    assert in_strips == []
    large.LARGE = 100
    if own == "other":
        monkeypatch.setattr("intrinsic_cli.kit.inference.paths.OWN", ())
    strips = go(path, out=tmp_path / "strips", **given).inputs[0]
    assert in_strips == [path]
    for layer, file in strips.layers.items():
        one, other = read_photo(Path(file)), read_photo(Path(whole.layers[layer]))
        assert one.alpha is not None
        assert other.alpha is not None
        assert 0 < one.alpha.mean() < 0.5
        assert np.abs(one.alpha - other.alpha).max() < 1e-6
        assert np.abs(one.pixels - other.pixels).max() < 0.01
    one_told, other_told = facts(tmp_path / "strips"), facts(tmp_path / "whole")
    assert one_told["mask"] == "m.png"
    assert one_told["mask_sha256"] == other_told["mask_sha256"]
    assert one_told["clipped"] == other_told["clipped"]


def test_a_large_photo_without_its_mask_fails_as_a_small_one(
    tmp_path: Path, in_strips: list[Any]
) -> None:
    (tmp_path / "masks").mkdir()
    errors = []
    for way, least in (("strips", 100), ("whole", 10**9)):
        large.LARGE = least
        path = photo(tmp_path / "a.png")
        item = go(path, out=tmp_path / way, mask=tmp_path / "masks").inputs[0]
        errors.append((item.status, item.error))
    assert errors[0] == errors[1]
    assert "there is no mask of it" in errors[0][1]


@pytest.mark.parametrize("own", ["cpu", "other"])
def test_methods_that_look_at_pixels_last_are_shown_rows(
    own: str, tmp_path: Path, in_strips: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def finished(self: PowerDecomposer, result: Decomposition) -> Decomposition:
        albedo = np.minimum(result.layers["albedo"], 0.8 - result.photo)
        return replace(result, layers={**result.layers, "albedo": albedo.clip(0)})

    monkeypatch.setattr(PowerDecomposer, "finished", finished)
    path = tmp_path / "a.png"
    Image.fromarray(FLAT[..., :3]).resize((182, 140)).save(path)
    whole = go(path, out=tmp_path / "whole").inputs[0]
    assert in_strips == [], "it has not said that it minds no other pixels"
    monkeypatch.setattr(PowerDecomposer, "finishes_rows", True)
    if own == "other":
        monkeypatch.setattr("intrinsic_cli.kit.inference.paths.OWN", ())
    strips = go(path, out=tmp_path / "strips").inputs[0]
    assert in_strips == [path]
    for name, file in strips.layers.items():
        one, other = read_photo(Path(file)), read_photo(Path(whole.layers[name]))
        assert np.abs(one.pixels - other.pixels).max() < 0.01


def float_photo(path: Path, gain: float) -> Path:
    """As bright as ``gain``, with alpha, and a number that is none."""
    light = cv2.resize(FLAT, (182, 140)).astype(np.float32) / 255
    light[..., :3] *= gain
    light[3, 4, 1] = np.nan
    if path.suffix == ".exr":
        write_exr(path, light[..., :3], light[..., 3], bits=32)
    else:
        cv2.imwrite(str(path), light[..., [2, 1, 0, 3]])
    return path


@pytest.mark.parametrize("gain", [0.9, 7.0])
@pytest.mark.parametrize("suffix", [".exr", ".tiff"])
@pytest.mark.parametrize("form", ["png", "exr32"])
@pytest.mark.parametrize("own", ["cpu", "other"])
def test_photos_that_are_floats_are_done_in_strips_too(
    own: str,
    form: str,
    suffix: str,
    gain: float,
    tmp_path: Path,
    in_strips: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = float_photo(tmp_path / f"a{suffix}", gain)
    large.LARGE = 10**9
    whole = go(path, out=tmp_path / "whole", format=form, preview=True).inputs[0]
    assert in_strips == []
    large.LARGE = 100
    if own == "other":
        monkeypatch.setattr("intrinsic_cli.kit.inference.paths.OWN", ())
    strips = go(path, out=tmp_path / "strips", format=form, preview=True).inputs[0]
    assert in_strips == [path]
    for name, file in strips.layers.items():
        one, other = read_photo(Path(file)), read_photo(Path(whole.layers[name]))
        most = max(1.0, float(other.pixels.max()))
        assert np.abs(one.pixels - other.pixels).max() < 0.01 * most
        assert one.alpha is not None
        assert other.alpha is not None
        assert np.array_equal(one.alpha, other.alpha)
    one_told, other_told = facts(tmp_path / "strips"), facts(tmp_path / "whole")
    assert one_told.keys() == other_told.keys()
    for key in ("repaired", "clipped", "encoding", "bits"):
        assert one_told[key] == other_told[key]
    errors = [told["reconstruction_rmse"] for told in (one_told, other_told)]
    assert errors[0] == pytest.approx(errors[1], 0.02, 1e-6)
    scales = [told["layers"]["shading"]["scale"] for told in (one_told, other_told)]
    assert scales[0] == pytest.approx(scales[1], 0.01)
    sheets = [read_photo(Path(item.preview)).pixels for item in (strips, whole)]
    assert np.abs(sheets[0] - sheets[1]).max() < 0.02


def test_whoever_has_the_last_word_on_light_beyond_white_sees_all_of_it(
    tmp_path: Path, in_strips: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, ...]] = []

    def finished(self: PowerDecomposer, result: Decomposition) -> Decomposition:
        seen.append(result.photo.shape)
        return result

    monkeypatch.setattr(PowerDecomposer, "finished", finished)
    monkeypatch.setattr(PowerDecomposer, "finishes_rows", True)
    path = float_photo(tmp_path / "a.exr", 7)
    assert go(path, out=tmp_path / "out").inputs[0].status == "done"
    assert in_strips == []
    assert seen == [(140, 182, 3)]
