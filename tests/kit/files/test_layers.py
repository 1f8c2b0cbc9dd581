"""Every layer format gives back what was put in."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from intrinsic_cli.api import DataError
from intrinsic_cli.api.outputs import KINDS, kind_of
from intrinsic_cli.kit.files import layers as files
from intrinsic_cli.kit.files.encodings import display_scale, find_encoding
from intrinsic_cli.kit.files.formats import LAYER_SUFFIXES
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.photo import read_photo
from intrinsic_cli.kit.files.tiff_fields import first_fields
from intrinsic_cli.kit.light.colour import linear_to_srgb

RNG = np.random.default_rng(0)
SIZE = (23, 31)
LAYER = np.tile(np.linspace(0, 2.5, 64, dtype=np.float32)[None, :, None], (48, 1, 3))
ALPHA = np.tile(np.linspace(0, 1, 48, dtype=np.float32)[:, None], (1, 64))
#: Largest error of the display code, in codes of 8 bits, that each format may add.
CODES_OFF = {
    "png": 0.54,
    "png16": 0.003,
    "jpg": 3.0,
    "webp": 4.0,
    "tiff": 0.0,
    "exr": 0.1,
    "exr32": 0.0,
}


@pytest.mark.parametrize("form", CODES_OFF)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("masked", [False, True])
def test_layers_come_back(tmp_path: Path, form: str, channels: int, masked: bool) -> None:
    path = tmp_path / f"layer{LAYER_SUFFIXES[form]}"
    alpha = ALPHA if masked else None
    stored = files.write_layer(path, LAYER[..., :channels], kind_of("shading"), form, alpha)
    photo = read_photo(path)
    back = photo.pixels * np.float32(stored.scale)
    off = np.abs(linear_to_srgb(back / stored.scale) - linear_to_srgb(LAYER / stored.scale)) * 255
    # WebP may change colours where nothing shows, and averages colour over pixels.
    assert off[ALPHA > 0.5].max() <= CODES_OFF[form] + (8 if form == "webp" and masked else 0)
    assert np.allclose(stored.linear(slice(None)), back, atol=1e-6), (
        "what is reported is what is read"
    )
    assert stored.encoding == photo.encoding
    assert (photo.alpha is not None) == (masked and form != "jpg")
    if photo.alpha is not None:
        assert np.allclose(photo.alpha, ALPHA, atol=0.003)


def savez_of_numpy_1(file: Any, **arrays: Any) -> None:
    """Which takes every word for the name of an array."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, np.asanyarray(array))


@pytest.mark.parametrize("savez", [np.savez, savez_of_numpy_1])
def test_npz(savez: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np, "savez", savez)
    files.write_npz(tmp_path / "a.npz", {"albedo": LAYER, "shading": LAYER[..., :1]}, ALPHA)
    with np.load(tmp_path / "a.npz") as arrays:
        assert arrays.files == ["albedo", "shading", "alpha"]
        assert np.array_equal(arrays["albedo"], LAYER)
        assert np.array_equal(arrays["shading"], LAYER[..., :1])
        assert np.array_equal(arrays["alpha"], ALPHA)


@pytest.mark.parametrize("form", ["png", "png16", "tiff", "exr"])
def test_normals(tmp_path: Path, form: str) -> None:
    normals = RNG.normal(size=(*SIZE, 3)).astype(np.float32)
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    path = tmp_path / f"n{LAYER_SUFFIXES[form]}"
    stored = files.write_layer(path, normals, kind_of("normals"), form)
    assert np.allclose(stored.linear(slice(None)), normals, atol=0.005)
    if form.startswith("png"):
        assert stored.encoding == "normals"
        assert np.allclose(read_photo(path, "linear").pixels * 2 - 1, normals, atol=0.005)


def test_a_lone_highlight_does_not_turn_the_layer_black() -> None:
    layer = np.full((100, 100, 3), 0.8, np.float32)
    layer[50, 50] = 1000.0
    assert display_scale(layer) == pytest.approx(1.6)
    tiny = layer[45:55, 45:55]
    assert display_scale(tiny) == pytest.approx(1.6)


def test_scale_holds_all_of_an_ordinary_layer() -> None:
    assert display_scale(LAYER) == pytest.approx(2.5)
    assert display_scale(LAYER / 5) == 1.0
    assert display_scale(np.zeros((0, 4, 3), np.float32)) == 1.0


def test_rebuild_error_is_measured_from_what_is_stored(tmp_path: Path) -> None:
    photo = RNG.random((40, 50, 3)).astype(np.float32)
    shading = RNG.uniform(0.3, 2, (40, 50, 1)).astype(np.float32)
    layers = {"albedo": photo / shading, "shading": shading}
    paths = {name: tmp_path / f"{name}.png" for name in layers}
    stored = {
        name: files.write_layer(paths[name], layer, kind_of(name), "png")
        for name, layer in layers.items()
    }
    read = {name: read_photo(path).pixels * stored[name].scale for name, path in paths.items()}
    expected = float(np.sqrt(np.mean((read["albedo"] * read["shading"] - photo) ** 2)))
    assert expected > 1e-4
    assert files.rebuild_error(photo, stored) == pytest.approx(expected, rel=1e-3)
    assert files.rebuild_error(photo, {"albedo": stored["albedo"]}) is None


def test_a_picture_too_large_for_its_format(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not fit into webp"):
        files.write_layer(
            tmp_path / "a.webp", np.zeros((1, 20000, 3), np.float32), kind_of("albedo"), "webp"
        )


@pytest.mark.parametrize(("form", "middle"), [("png", 128), ("png16", 32768)])
def test_a_mask_is_written_linear(tmp_path: Path, form: str, middle: int) -> None:
    mask = np.float32([0, 0.5, 1, 1.5]).reshape(1, 4, 1)  # upsampled beyond 1
    stored = files.write_layer(tmp_path / "m.png", mask, kind_of("mask"), form)
    assert stored.codes.ravel().tolist() == [0, middle, 2 * middle - 1, 2 * middle - 1]
    assert (stored.encoding, stored.scale) == ("linear", 1.0)
    top = 2 * middle - 1
    assert np.array_equal(
        read_photo(tmp_path / "m.png", "linear").pixels[..., :1], stored.codes / np.float32(top)
    )


@pytest.mark.parametrize("form", ["png", "png16", "tiff", "exr", "exr32"])
def test_residuals_keep_their_sign(tmp_path: Path, form: str) -> None:
    residual = RNG.normal(0, 0.2, (48, 64, 3)).astype(np.float32)
    path = tmp_path / f"r{LAYER_SUFFIXES[form]}"
    stored = files.write_layer(path, residual, kind_of("residual"), form)
    bits = 16 if form == "png16" else 8
    exact = not form.startswith("png")
    atol = 2e-3 if exact else stored.scale / (1 << bits) * 1.1
    assert np.allclose(stored.linear(slice(None)), residual, atol=atol)
    if not exact:
        assert stored.encoding == "signed"
        assert stored.scale == pytest.approx(float(np.abs(residual).max()))
        seen = read_photo(path, "linear").pixels
        assert np.allclose((seen * 2 - 1) * stored.scale, residual, atol=atol)


def test_a_residual_of_noise_is_not_a_picture() -> None:
    noise = RNG.normal(0, 1e-6, (8, 8, 3)).astype(np.float32)
    codes = files.quantise(noise, KINDS["residual"], 8).codes
    assert {*codes.ravel().tolist()} <= {127, 128}


def test_depth_is_linear_with_a_scale() -> None:
    depth = np.linspace(1, 9, 60, dtype=np.float32).reshape(6, 10, 1)
    stored = files.quantise(depth, KINDS["depth"], 16)
    assert (stored.encoding, stored.scale) == ("linear", 9.0)
    assert np.allclose(stored.codes / 65535 * 9, depth, atol=1e-4)
    assert np.allclose(stored.linear(slice(None)), depth, atol=1e-4)


def test_there_is_no_other_encoding() -> None:
    with pytest.raises(DataError, match="no encoding 'gamma'"):
        find_encoding("gamma")
    assert all(find_encoding(kind.encoding) for kind in KINDS.values())


@pytest.mark.parametrize("value", [7e4, -7e4, np.inf])
def test_what_half_precision_cannot_hold_is_counted(tmp_path: Path, value: float) -> None:
    layer = np.ones((4, 5, 3), np.float32)
    layer[0, 0] = value
    half = files.write_layer(tmp_path / "h.exr", layer, KINDS["factor"], "exr")
    assert half.clipped == pytest.approx(1 / 20)
    assert abs(half.codes[0, 0, 0]) == 65504
    full = files.write_layer(tmp_path / "f.exr", layer, KINDS["factor"], "exr32")
    assert full.clipped == 0
    assert np.array_equal(full.codes, layer)
    assert files.write_layer(tmp_path / "h.exr", LAYER, KINDS["factor"], "exr").clipped == 0


@pytest.mark.parametrize("channels", [1, 3])
def test_other_readers_see_the_alpha_of_a_float_tiff(tmp_path: Path, channels: int) -> None:
    path = tmp_path / "a.tiff"
    files.write_layer(path, LAYER[..., :channels], kind_of("shading"), "tiff", ALPHA)
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        assert [int(extra) for extra in page.extrasamples] == [2], "unassociated alpha"
        assert len(file.pages) == 1
        tags = [tag.code for tag in page.tags]
        assert tags == sorted(tags), "strict readers want them in order"
        assert np.array_equal(page.asarray(), np.dstack([LAYER, ALPHA]))
    assert np.array_equal(cv2.imread(str(path), -1), np.dstack([LAYER, ALPHA]))
    photo = read_photo(path)
    assert np.array_equal(photo.pixels, LAYER)
    assert photo.alpha is not None
    assert np.array_equal(photo.alpha, ALPHA)


def test_a_float_tiff_without_alpha_is_what_opencv_writes(tmp_path: Path) -> None:
    """But for the order of two lists behind its fields."""
    files.write_layer(tmp_path / "a.tiff", LAYER, kind_of("shading"), "tiff")
    found = (tmp_path / "a.tiff").read_bytes()
    meant = cv2.imencode(".tiff", LAYER)[1].tobytes()
    assert len(found) == len(meant)
    assert first_fields(found) == first_fields(meant)
    end = 8 + LAYER.nbytes
    assert found[:end] == meant[:end]


def test_dark_layers_are_shown_as_dark() -> None:
    for top, scale in ((0.3, 1.0), (1.0, 1.0), (2.0, 2.0)):
        layer = np.full((8, 8, 3), top, np.float32)
        assert display_scale(layer) == pytest.approx(scale)


def test_what_a_photo_is_rebuilt_from() -> None:
    one, two, three = (np.full((2, 2, 3), value, np.float32) for value in (0.5, 0.25, 0.125))
    cases = (
        ({"albedo": one, "shading": two}, 0.125),
        ({"albedo": one, "shading": two, "residual": three}, 0.25),
        ({"transmission": one, "reflection": two}, 0.75),
        ({"transmission": one, "reflection": two, "flare": three}, 0.875),
    )
    for layers, value in cases:
        rebuilt = files.rebuild(layers)
        assert rebuilt is not None
        assert np.allclose(rebuilt, value)
    assert files.rebuild({"albedo": one, "reflection": two}) is None
