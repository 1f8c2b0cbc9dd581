"""Every layer format gives back what was put in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files import layers as image_write
from intrinsic_cli.kit.files.photo import read_photo
from intrinsic_cli.kit.light.colour import linear_to_srgb

RNG = np.random.default_rng(0)
SIZE = (23, 31)
LAYER = np.tile(np.linspace(0, 2.5, 64, dtype=np.float32)[None, :, None], (48, 1, 3))
ALPHA = np.tile(np.linspace(0, 1, 48, dtype=np.float32)[:, None], (1, 64))
#: Largest error of the display code, in codes of 8 bits, that each format may add.
CODES_OFF = {"png": 0.54, "png16": 0.003, "jpg": 3.0, "webp": 4.0, "tiff": 0.0, "exr": 0.1}


@pytest.mark.parametrize("form", CODES_OFF)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("masked", [False, True])
def test_layers_come_back(tmp_path: Path, form: str, channels: int, masked: bool) -> None:
    path = tmp_path / f"layer{image_write.LAYER_SUFFIXES[form]}"
    alpha = ALPHA if masked else None
    stored = image_write.write_layer(path, "shading", LAYER[..., :channels], form, alpha)
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


def test_npz(tmp_path: Path) -> None:
    image_write.write_npz(tmp_path / "a.npz", {"albedo": LAYER, "shading": LAYER[..., :1]}, ALPHA)
    with np.load(tmp_path / "a.npz") as arrays:
        assert np.array_equal(arrays["albedo"], LAYER)
        assert np.array_equal(arrays["shading"], LAYER[..., :1])
        assert np.array_equal(arrays["alpha"], ALPHA)


@pytest.mark.parametrize("form", ["png", "png16", "tiff", "exr"])
def test_normals(tmp_path: Path, form: str) -> None:
    normals = RNG.normal(size=(*SIZE, 3)).astype(np.float32)
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    path = tmp_path / f"n{image_write.LAYER_SUFFIXES[form]}"
    stored = image_write.write_layer(path, "normals", normals, form)
    assert np.allclose(stored.linear(slice(None)), normals, atol=0.005)
    if form.startswith("png"):
        assert stored.encoding == "normals"
        assert np.allclose(read_photo(path, "linear").pixels * 2 - 1, normals, atol=0.005)


def test_a_lone_highlight_does_not_turn_the_layer_black() -> None:
    layer = np.full((100, 100, 3), 0.8, np.float32)
    layer[50, 50] = 1000.0
    assert image_write.display_scale(layer) == pytest.approx(1.6)
    tiny = layer[45:55, 45:55]
    assert image_write.display_scale(tiny) == pytest.approx(1.6)


def test_scale_holds_all_of_an_ordinary_layer() -> None:
    assert image_write.display_scale(LAYER) == pytest.approx(2.5)
    assert image_write.display_scale(LAYER / 5) == 1.0
    assert image_write.display_scale(np.zeros((0, 4, 3), np.float32)) == 1.0


def test_rebuild_error_is_measured_from_what_is_stored(tmp_path: Path) -> None:
    photo = RNG.random((40, 50, 3)).astype(np.float32)
    shading = RNG.uniform(0.3, 2, (40, 50, 1)).astype(np.float32)
    layers = {"albedo": photo / shading, "shading": shading}
    paths = {name: tmp_path / f"{name}.png" for name in layers}
    stored = {
        name: image_write.write_layer(paths[name], name, layer, "png")
        for name, layer in layers.items()
    }
    read = {name: read_photo(path).pixels * stored[name].scale for name, path in paths.items()}
    expected = float(np.sqrt(np.mean((read["albedo"] * read["shading"] - photo) ** 2)))
    assert expected > 1e-4
    assert image_write.rebuild_error(photo, stored) == pytest.approx(expected, rel=1e-3)
    assert image_write.rebuild_error(photo, {"albedo": stored["albedo"]}) is None


def test_a_picture_too_large_for_its_format(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not fit into webp"):
        image_write.write_layer(
            tmp_path / "a.webp", "albedo", np.zeros((1, 20000, 3), np.float32), "webp"
        )
