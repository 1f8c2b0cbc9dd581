"""Layers read row by row are those read whole, in every format that is written row by row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from image_files import DEEP, FLAT, encode
from PIL import Image

from intrinsic_cli.api import DataError
from intrinsic_cli.api.outputs import KINDS
from intrinsic_cli.kit.files.exr_layers import write_exr_layers
from intrinsic_cli.kit.files.file_parts import FileParts
from intrinsic_cli.kit.files.layer_rows import open_layer_rows
from intrinsic_cli.kit.files.layers import write_layer
from intrinsic_cli.kit.files.png_lines import open_lines
from intrinsic_cli.kit.files.read_layers import LayerFile, open_layer_file

RNG = np.random.default_rng(0)
SIZE = (50, 41)
LAYER = (RNG.random((*SIZE, 3)) * 3).astype(np.float32)
LAYER[10:30] = 0.5
ALPHA = RNG.random(SIZE).astype(np.float32)


def whole(name: str, file: LayerFile) -> np.ndarray:
    return open_layer_file(name, file).linear(slice(None))


def by_rows(name: str, file: LayerFile) -> np.ndarray:
    layer = open_layer_rows(name, file)
    assert layer is not None
    assert layer.size == SIZE
    parts = [layer.linear(slice(top, min(top + 7, SIZE[0]))) for top in range(0, SIZE[0], 7)]
    return np.concatenate(parts)


@pytest.mark.parametrize("form", ["png", "png16", "tiff", "exr", "exr32"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("alpha", [None, ALPHA])
def test_rows_are_those_of_the_whole(form: str, channels: int, alpha: Any, tmp_path: Path) -> None:
    path = tmp_path / f"a.{form.rstrip('1632')}"
    kind = KINDS["factor"]
    stored = write_layer(path, LAYER[..., :channels], kind, form, alpha)
    file = LayerFile(path, stored.encoding, stored.scale, array="shading")
    found, meant = by_rows("shading", file), whole("shading", file)
    assert np.array_equal(found, np.broadcast_to(meant, found.shape))
    assert 0.4 < found.mean() < 1.6


@pytest.mark.parametrize("bits", [16, 32])
def test_layers_of_one_exr_are_found_by_their_names(bits: int, tmp_path: Path) -> None:
    path = tmp_path / "a.exr"
    normals = RNG.normal(size=(*SIZE, 3)).astype(np.float32)
    layers = {
        "albedo": (KINDS["reflectance"], LAYER),
        "normals": (KINDS["vector"], normals),
        "mask": (KINDS["mask"], ALPHA[..., None]),
    }
    write_exr_layers(path, layers, photo=LAYER * 2, bits=bits)
    for name in layers:
        file = LayerFile(path, "linear", array=name)
        found, meant = by_rows(name, file), whole(name, file)
        assert np.array_equal(found, np.broadcast_to(meant, found.shape))


def test_normals_keep_their_signs(tmp_path: Path) -> None:
    normals = RNG.normal(size=(*SIZE, 3)).astype(np.float32)
    for form in ("png", "exr32"):
        path = tmp_path / f"a.{form.rstrip('32')}"
        stored = write_layer(path, normals.clip(-1, 1), KINDS["vector"], form)
        file = LayerFile(path, stored.encoding, stored.scale, array="normals")
        found = by_rows("normals", file)
        assert found.min() < -0.9
        assert np.array_equal(found, whole("normals", file))


def test_what_others_have_written_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(encode(".jpg", FLAT[..., :3]))
    assert open_layer_rows("albedo", LayerFile(path, "srgb")) is None
    path = tmp_path / "a.png"
    Image.fromarray(FLAT[..., 0]).convert("P").save(path)
    assert open_layer_rows("albedo", LayerFile(path, "srgb")) is None
    assert open_layer_rows("albedo", LayerFile(tmp_path / "none.png", "srgb")) is None
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    assert open_layer_rows("albedo", LayerFile(path, "srgb")) is None


@pytest.mark.parametrize("codes", [FLAT, FLAT[..., :3], DEEP, DEEP[..., 0]])
def test_pngs_whose_rows_are_filtered_otherwise_are_read_whole(codes: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encode(".png", codes))
    assert open_lines(FileParts(path)) is None


@pytest.mark.parametrize("share", [0.4, 0.9])
@pytest.mark.parametrize("form", ["png", "tiff", "exr"])
def test_a_damaged_layer_is_told(form: str, share: float, tmp_path: Path) -> None:
    path = tmp_path / f"a.{form}"
    stored = write_layer(path, LAYER, KINDS["factor"], form)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    file = LayerFile(path, stored.encoding, stored.scale, array="shading")
    layer = open_layer_rows("shading", file)
    if layer is None:
        with pytest.raises(DataError, match="truncated"):
            whole("shading", file)
        return
    with pytest.raises(DataError, match=r"a\.\w+: the image is truncated or damaged"):
        by_rows("shading", file)
