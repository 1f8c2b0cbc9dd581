"""One EXR of many layers, as programs that put pictures together expect it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import OpenEXR
import pytest
from numpy.typing import NDArray

from intrinsic_cli.api import DataError
from intrinsic_cli.api.outputs import kind_of
from intrinsic_cli.kit.files import memory
from intrinsic_cli.kit.files.exr import read_exr
from intrinsic_cli.kit.files.exr_layers import read_exr_layer
from intrinsic_cli.kit.files.outputs import Surroundings, Written, output_files, write_outputs
from intrinsic_cli.kit.files.photo import read_photo
from intrinsic_cli.kit.files.read_layers import LayerFile, read_layer_file

RNG = np.random.default_rng(0)
SIZE = (9, 12)
PHOTO = RNG.random((*SIZE, 3)).astype(np.float32) * 4
ALPHA = RNG.random(SIZE).astype(np.float32)
LAYERS = {
    "albedo": RNG.random((*SIZE, 3)).astype(np.float32),
    "shading": RNG.random((*SIZE, 1)).astype(np.float32) * 3,
    "residual": RNG.random((*SIZE, 3)).astype(np.float32) - 0.5,
    "normals": RNG.random((*SIZE, 3)).astype(np.float32) * 2 - 1,
    "mask": RNG.random((*SIZE, 1)).astype(np.float32),
    "depth": RNG.random((*SIZE, 1)).astype(np.float32) * 9,
}


def write(folder: Path, form: str, around: Surroundings) -> dict[str, Written]:
    outputs = {name: (kind_of(name), layer) for name, layer in LAYERS.items()}
    return write_outputs(folder / "a", outputs, form, around)


def channels_of(path: Path) -> dict[str, NDArray[np.float32]]:
    with OpenEXR.File(str(path), separate_channels=True) as file:
        found = file.channels(0)
        return {name: np.array(found[name].pixels) for name in found}


@pytest.mark.parametrize(("form", "bits"), [("exr-multilayer", 16), ("exr32-multilayer", 32)])
def test_channels_are_named_as_compositors_expect(form: str, bits: int, tmp_path: Path) -> None:
    written = write(tmp_path, form, Surroundings(ALPHA, ALPHA, PHOTO))
    path = tmp_path / "a.exr"
    assert list(tmp_path.iterdir()) == [path]
    assert all(one.files == (path,) for one in written.values())
    planes = channels_of(path)
    wanted = {
        *"RGBA",
        *(f"{name}.{colour}" for name in ("albedo", "shading", "residual") for colour in "RGB"),
        *(f"normals.{axis}" for axis in "XYZ"),
        "mask.A",
        "depth.Z",
    }
    assert planes.keys() == wanted
    assert {plane.dtype for plane in planes.values()} == {np.dtype(f"float{bits}")}
    tolerance = 0 if bits == 32 else 4e-3
    for at, colour in enumerate("RGB"):
        assert np.allclose(planes[colour], PHOTO[..., at], atol=tolerance)
        assert np.allclose(planes[f"albedo.{colour}"], LAYERS["albedo"][..., at], atol=tolerance)
        assert np.allclose(planes[f"shading.{colour}"], LAYERS["shading"][..., 0], atol=tolerance)
    assert np.allclose(planes["normals.Z"], LAYERS["normals"][..., 2], atol=tolerance)


@pytest.mark.parametrize("form", ["exr-multilayer", "exr32-multilayer"])
def test_every_layer_comes_back(form: str, tmp_path: Path) -> None:
    written = write(tmp_path, form, Surroundings(photo=PHOTO))
    for name, layer in LAYERS.items():
        file = LayerFile(tmp_path / "a.exr", "linear", 1.0, array=name)
        read, resized = read_layer_file(name, file, SIZE)
        stored = written[name].stored
        assert not resized
        assert stored is not None
        assert np.array_equal(read, stored.linear(slice(None)))
        assert read.shape == layer.shape


def test_it_is_read_as_the_photo_or_a_layer_of_it(tmp_path: Path) -> None:
    write(tmp_path, "exr32-multilayer", Surroundings(ALPHA, ALPHA, PHOTO))
    photo = read_photo(tmp_path / "a.exr")
    assert np.array_equal(photo.pixels, PHOTO)
    assert np.array_equal(photo.alpha, ALPHA)
    albedo = read_photo(tmp_path / "a.exr", layer="albedo")
    assert np.array_equal(albedo.pixels, LAYERS["albedo"])
    with pytest.raises(DataError, match="no layer 'normals'") as caught:
        read_photo(tmp_path / "a.exr", layer="normals")
    assert "normals" not in caught.value.hint, "vectors are no picture"
    assert "shading" in caught.value.hint


def test_layers_that_hold_elsewhere_have_an_alpha_of_their_own(tmp_path: Path) -> None:
    regions = np.zeros(SIZE, np.float32)
    write(tmp_path, "exr32-multilayer", Surroundings(regions, ALPHA, PHOTO))
    planes = channels_of(tmp_path / "a.exr")
    assert np.array_equal(planes["A"], ALPHA)
    assert np.array_equal(planes["albedo.A"], regions)
    assert np.array_equal(planes["mask.A"], LAYERS["mask"][..., 0]), "a mask is its own"
    write(tmp_path, "exr32-multilayer", Surroundings(regions))
    planes = channels_of(tmp_path / "a.exr")
    assert np.array_equal(planes["A"], regions)
    assert "R" not in planes
    assert "albedo.A" not in planes


def test_what_half_precision_clips_is_told(tmp_path: Path) -> None:
    bright = np.full((4, 4, 3), 1e5, np.float32)
    for form, told in (("exr-multilayer", True), ("exr32-multilayer", False)):
        outputs = {"shading": (kind_of("shading"), bright)}
        entry = write_outputs(tmp_path / "b", outputs, form)["shading"].entry
        assert ("clipped" in entry) == told


def test_files_are_named_by_the_photo_alone(tmp_path: Path) -> None:
    base = tmp_path / "a.b"
    kind = kind_of("albedo")
    assert output_files(base, "albedo", kind, "exr-multilayer") == [tmp_path / "a.b.exr"]


def test_another_name_is_not_there(tmp_path: Path) -> None:
    write(tmp_path, "exr-multilayer", Surroundings())
    data = (tmp_path / "a.exr").read_bytes()
    assert read_exr_layer(data, "transmission", kind_of("transmission")) is None


def test_more_channels_than_fit_into_memory_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "exr-multilayer", Surroundings(photo=PHOTO))
    data = (tmp_path / "a.exr").read_bytes()
    monkeypatch.setattr("intrinsic_cli.kit.files.exr.memory", lambda: 1000)
    with pytest.raises(DataError, match="its 17 channels do not fit into memory"):
        read_exr(data)
    assert memory.memory() > 1000
