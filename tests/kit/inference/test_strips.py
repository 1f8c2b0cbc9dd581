"""Layers made strip by strip are those made whole."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
import pytest
import torch
from PIL import Image
from strip_methods import NAMES, Toy, opened, picture
from torch import Tensor

from intrinsic_cli.api import DataError, Decomposer, Decomposition, Frame, PluginError, Runtime
from intrinsic_cli.api.outputs import kind_of
from intrinsic_cli.kit.files.encodings import encoding_of
from intrinsic_cli.kit.files.formats import layer_suffix
from intrinsic_cli.kit.files.layers import quantise, rebuild_error, write_layer
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.photo import Photo, read_photo
from intrinsic_cli.kit.files.photo_rows import is_large, open_rows
from intrinsic_cli.kit.inference import strip_layers
from intrinsic_cli.kit.inference.batches import Network
from intrinsic_cli.kit.inference.pipeline import decompose_photo
from intrinsic_cli.kit.inference.room import Room, quiet
from intrinsic_cli.kit.inference.strip_batches import make_strips_of
from intrinsic_cli.kit.inference.strip_files import write_strips
from intrinsic_cli.kit.inference.strips import make_strips, works_in_strips
from intrinsic_cli.kit.light import resize
from intrinsic_cli.kit.light.resize import bands

RUNTIME = Runtime(torch.device("cpu"))


@pytest.fixture(autouse=True)
def narrow_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resize, "BAND_PIXELS", 3000)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
@pytest.mark.parametrize("upsample", NAMES)
def test_strips_are_the_whole(upsample: Any, mode: str) -> None:
    data = picture(mode)
    decomposer = Toy(upsample, alpha=mode == "RGBA")
    whole = decompose_photo(decomposer, read_photo(data), RUNTIME)
    rows = opened(data)
    strips, _ = make_strips(decomposer, rows, RUNTIME, {})
    cuts = list(bands(*rows.size))
    assert len(cuts) > 5
    for cut in cuts:
        shown = torch.from_numpy(rows.rows(cut).pixels).permute(2, 0, 1)[None]
        made = strips.rows(shown, cut)
        assert made.keys() == whole.layers.keys()
        for name, layer in made.items():
            expected = whole.layers[name][cut]
            found = layer[0].permute(1, 2, 0).numpy()
            assert np.abs(found - expected).max() < 1e-3 * max(1, np.abs(expected).max()), name


class Coloured(Decomposer):
    """Coloured shading, much darker than its albedo, in which the colours of a dark photo show."""

    frame = Frame(size=48, multiple=8)

    def __call__(self, photos: Tensor) -> Mapping[str, Tensor]:
        shading = torch.nn.functional.avg_pool2d(photos, 2) * 0.3 + 0.005
        return {"albedo": shading, "shading": shading}


class Glossy(Coloured):
    """A residual layer besides, of nothing yet."""

    def __call__(self, photos: Tensor) -> Mapping[str, Tensor]:
        return {**super().__call__(photos), "residual": photos * 0}


@pytest.mark.parametrize("decomposer", [Coloured(), Glossy()])
def test_dark_places_are_mended_in_strips_too(decomposer: Decomposer) -> None:
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 60, (203, 157, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(codes).save(file, "PNG")
    data = file.getvalue()
    whole = decompose_photo(decomposer, read_photo(data), RUNTIME).layers
    rows = opened(data)
    strips, _ = make_strips(decomposer, rows, RUNTIME, {})
    assert strips.dark is not None
    photo = rows.rows(slice(0, 203)).pixels
    made = strips.rows(torch.from_numpy(photo).permute(2, 0, 1)[None], slice(0, 203))
    for name, layer in made.items():
        found = layer[0].permute(1, 2, 0).numpy()
        assert np.abs(found - whole[name]).max() < 2e-3, name
    rebuilt = whole["albedo"] * whole["shading"] + whole.get("residual", 0)
    assert np.abs(rebuilt - photo).max() < 1e-6
    plain = whole["albedo"] / whole["albedo"].sum(axis=2, keepdims=True).clip(1e-6)
    divided = photo / photo.sum(axis=2, keepdims=True).clip(1e-6)
    assert plain.std(axis=(0, 1)).mean() < 0.75 * divided.std(axis=(0, 1)).mean()


def test_what_mending_leaves_goes_to_the_residual_where_there_is_one() -> None:
    """There noise does not show; a shading with its coloured specks would."""
    codes = np.random.default_rng(3).integers(0, 6, (90, 80, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(codes).save(file, "PNG")
    given = read_photo(file.getvalue())
    rough = decompose_photo(Coloured(), given, RUNTIME).layers["shading"]
    smooth = decompose_photo(Glossy(), given, RUNTIME).layers["shading"]
    assert _unevenness(smooth) < 0.2 * _unevenness(rough)


def _unevenness(layer: Any) -> float:
    return float(np.abs(np.diff(layer, axis=1)).mean() / layer.mean())


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_files_in_strips_are_the_files_of_the_whole(mode: str, bits: int, tmp_path: Path) -> None:
    data = picture(mode)
    decomposer = Toy("divide", alpha=mode == "RGBA")
    whole = decompose_photo(decomposer, read_photo(data), RUNTIME)
    rows = opened(data)
    strips, _ = make_strips(decomposer, rows, RUNTIME, {})
    kinds = {name: kind_of(name) for name in decomposer.names}
    places = {name: tmp_path / f"{name}.png" for name in kinds}
    stored, error = write_strips(rows, strips, kinds, places, "png16" if bits == 16 else "png")
    expected = {name: quantise(whole.layers[name], kinds[name], bits) for name in kinds}
    for name, kind in kinds.items():
        assert stored[name].encoding == expected[name].encoding
        assert stored[name].scale == pytest.approx(expected[name].scale, rel=1e-3)
        photo = read_photo(places[name], "linear")
        assert photo.bits == bits
        decoded = encoding_of(kind).decode(_codes(photo, bits), stored[name].scale)
        meant = expected[name].linear(slice(None))
        step = stored[name].scale / (1 << bits)
        assert np.abs(decoded - meant).max() < 1e-3 * max(1, stored[name].scale) + 4 * step, name
        assert (photo.alpha is None) == (mode == "RGB")
        if photo.alpha is not None:
            assert np.allclose(photo.alpha, read_photo(data).alpha, atol=1e-6)
    assert error == pytest.approx(rebuild_error(whole.photo, expected), rel=1e-2)


@pytest.mark.parametrize("form", ["tiff", "exr", "exr32"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("upsample", NAMES)
def test_float_files_in_strips_are_those_of_the_whole(
    upsample: Any, mode: str, form: str, tmp_path: Path
) -> None:
    data = picture(mode)
    decomposer = Toy(upsample, alpha=mode == "RGBA")
    whole = decompose_photo(decomposer, read_photo(data), RUNTIME)
    rows = opened(data)
    strips, _ = make_strips(decomposer, rows, RUNTIME, {})
    kinds = {name: kind_of(name) for name in decomposer.names}
    alpha = rows.alpha(slice(0, rows.size[0]))
    places, expected = {}, {}
    for name, kind in kinds.items():
        places[name] = tmp_path / f"{name}{layer_suffix(form)}"
        other = tmp_path / f"{name}-whole{layer_suffix(form)}"
        expected[name] = write_layer(other, whole.layers[name], kind, form, alpha)
    stored, error = write_strips(rows, strips, kinds, places, form)
    for name, place in places.items():
        assert (stored[name].encoding, stored[name].scale) == ("linear", 1.0)
        found = _numbers(place)
        meant = _numbers(place.with_stem(f"{name}-whole"))
        assert found.shape == meant.shape
        assert np.abs(found - meant).max() < 1e-3 * max(1, np.abs(meant).max()), name
    assert error == pytest.approx(rebuild_error(whole.photo, expected), 1e-2, 1e-7)


def _numbers(path: Path) -> Any:
    if path.suffix == ".tiff":
        return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    with OpenEXR.File(str(path), separate_channels=True) as file:
        return np.array([channel.pixels for channel in file.channels().values()])


def test_what_half_precision_cannot_hold_is_counted_in_strips(tmp_path: Path) -> None:
    decomposer = Toy("divide", alpha=False)
    rows = opened(picture("RGB"))
    strips, _ = make_strips(decomposer, rows, RUNTIME, {})
    strips = replace(strips, small={"depth": strips.small["depth"] * 1e5})
    kinds = {"depth": kind_of("depth")}
    for form, bound in (("exr", 65504), ("exr32", 3e5)):
        stored, _ = write_strips(rows, strips, kinds, {"depth": tmp_path / form}, form)
        depth = _numbers((tmp_path / form).rename(tmp_path / f"{form}.exr"))
        share = (depth == 65504).mean() if form == "exr" else 0.0
        assert 60000 < depth.max() <= bound
        assert stored["depth"].clipped == pytest.approx(share, 1e-2)
        assert (share > 0.01) == (form == "exr")


@pytest.mark.parametrize("form", ["png", "png16", "jpg"])
def test_layers_that_cannot_be_kept_are_made_again(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decomposer = Toy("divide", alpha=False)
    rows = opened(picture("RGB"))
    strips, _ = make_strips(decomposer, rows, RUNTIME, {})
    kinds = {name: kind_of(name) for name in decomposer.names}
    made = []
    for most in (strip_layers.MOST_KEPT, 0):
        monkeypatch.setattr(strip_layers, "MOST_KEPT", most)
        places = {name: tmp_path / f"{name}-{most}" for name in kinds}
        _, error = write_strips(rows, strips, kinds, places, form)
        codes = [cv2.imread(str(place), cv2.IMREAD_UNCHANGED) for place in places.values()]
        made.append((error, codes))
    assert made[0][0] == made[1][0]
    for one, other in zip(made[0][1], made[1][1], strict=True):
        assert np.array_equal(one, other)


def _codes(photo: Photo, bits: int) -> Any:
    dtype = np.uint8 if bits == 8 else np.uint16
    return np.round(photo.pixels * ((1 << bits) - 1)).astype(dtype)


def test_what_needs_more_than_a_table_is_read_whole(tmp_path: Path) -> None:
    for mode in ("P", "CMYK", "1"):
        image = Image.new(mode, (8, 8))
        image.save(file := io.BytesIO(), "JPEG" if mode == "CMYK" else "PNG")
        assert open_rows(file.getvalue(), "auto") is None
    assert open_rows(b"no picture", "auto") is None
    with pytest.raises(DataError, match="truncated"):
        open_rows(picture("RGB")[:99], "auto")
    path = tmp_path / "a.png"
    path.write_bytes(picture("RGB"))
    assert is_large(path, 203 * 157)
    assert not is_large(path, 203 * 157 + 1)
    assert not is_large(tmp_path, 1)
    assert not is_large(tmp_path / "none", 1)


def test_methods_that_need_the_whole_photo_are_known() -> None:
    assert works_in_strips(Toy("divide", alpha=False))
    native = Toy("divide", alpha=False)
    native.frame = Frame(size=None)
    assert not works_in_strips(native)

    class Finder(Toy):
        def regions(self, photo: Any) -> None:
            return None

    class Finisher(Toy):
        def finished(self, result: Any) -> Any:
            return result

    class RowFinisher(Finisher):
        finishes_rows = True

    assert not works_in_strips(Finder("divide", alpha=False))
    assert not works_in_strips(Finisher("divide", alpha=False))
    assert works_in_strips(RowFinisher("divide", alpha=False))


@pytest.mark.parametrize("form", ["png", "exr"])
def test_layers_that_a_method_adds_last_are_written_in_strips(form: str, tmp_path: Path) -> None:
    class Bright(Toy):
        finishes_rows = True

        def finished(self, result: Decomposition) -> Decomposition:
            bright = (result.photo[..., :1] > 0.4).astype(np.float32)
            return replace(result, layers={**result.layers, "mask": bright})

    decomposer, data = Bright("resize", alpha=False), picture("RGB")
    rows = opened(data)
    network = Network(decomposer, RUNTIME, {}, quiet, Room())
    ((strips, _),) = make_strips_of(network, [rows])
    kinds = {name: kind_of(name) for name in ("albedo", "mask")}
    places = {name: tmp_path / f"{name}{layer_suffix(form)}" for name in kinds}
    write_strips(rows, strips, kinds, places, form)
    found = read_photo(places["mask"], "linear").pixels
    whole = decompose_photo(decomposer, read_photo(data), RUNTIME).layers["mask"]
    assert 0.1 < whole.mean() < 0.9
    assert np.array_equal(found[..., :1], whole)


def test_a_layer_larger_than_the_photo_is_refused() -> None:
    decomposer = Toy("divide", alpha=False)
    with pytest.raises(PluginError, match="larger"):
        make_strips(decomposer, opened(picture("RGB", 2, 2)), RUNTIME, {})


@pytest.mark.parametrize("channels", [1, 3])
def test_a_sample_of_a_layer_does_not_keep_the_layer(channels: int) -> None:
    layer = np.random.default_rng(0).random((channels, 8, 64), np.float32)
    sample = strip_layers._magnitudes(layer, kind_of("albedo"))
    assert sample.shape == (8 * 64,)
    assert not np.shares_memory(sample, layer)
