"""Large photos are done in strips, small ones whole, and nobody can tell."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
import pytest
from decomposing import FLAT, facts, go, photo
from light_method import PowerDecomposer
from PIL import Image
from same_pictures import content
from torch import Tensor

from intrinsic_cli.kit.files.metadata import read_metadata
from intrinsic_cli.kit.files.photo import read_photo
from intrinsic_cli.runs.decompose import large


@pytest.mark.parametrize("form", ["png", "png16", "jpg", "tiff", "exr", "exr32"])
def test_strips_make_what_the_whole_makes(form: str, tmp_path: Path, in_strips: list[Any]) -> None:
    path = photo(tmp_path / "a.png")
    strips = go(path, out=tmp_path / "strips", format=form).inputs[0]
    assert in_strips == [path]
    large.LARGE = 10**9
    whole = go(path, out=tmp_path / "whole", format=form).inputs[0]
    assert in_strips == [path]
    assert (strips.status, strips.layers.keys()) == ("done", whole.layers.keys())
    for name, file in strips.layers.items():
        one, other = read_photo(Path(file)), read_photo(Path(whole.layers[name]))
        assert one.bits == other.bits
        assert np.abs(one.pixels - other.pixels).max() < 0.01
        assert np.abs(one.pixels - other.pixels).mean() < 1e-3
    one, other = facts(tmp_path / "strips"), facts(tmp_path / "whole")
    assert list(one) == list(other)
    for key in one.keys() - {"seconds", "reconstruction_rmse", "source"}:
        assert json.dumps(one[key])[:60] == json.dumps(other[key])[:60]
    assert one["reconstruction_rmse"] == pytest.approx(other["reconstruction_rmse"], 0.01, 1e-8)
    assert go(path, out=tmp_path / "strips", format=form).inputs[0].status == "skipped"


def camera_photo(path: Path) -> Path:
    """In Adobe RGB, as a camera says it, with its name."""
    exif = Image.Exif()
    exif[272] = "Pinhole 1"
    exif.get_ifd(34665).update({40961: 65535, 40965: {1: "R03"}})
    Image.fromarray(FLAT[..., :3]).save(path, exif=exif)
    return path


@pytest.mark.parametrize("metadata", ["keep", "strip"])
@pytest.mark.parametrize("form", ["tiff", "exr", "exr32"])
def test_float_files_made_in_strips_say_what_whole_ones_say(
    form: str, metadata: str, tmp_path: Path, in_strips: list[Any]
) -> None:
    path = camera_photo(tmp_path / "a.jpg")
    told, products = [], []
    for way, least in (("strips", 100), ("whole", 10**9)):
        large.LARGE = least
        item = go(path, out=tmp_path / way, format=form, metadata=metadata).inputs[0]
        files = {name: Path(file) for name, file in item.layers.items()}
        told.append(read_metadata(files["albedo"].read_bytes()).exif)
        layers = {name: read_photo(file).pixels for name, file in files.items()}
        products.append(layers["albedo"] * layers["shading"])
    assert in_strips == [path]
    assert told[0] == told[1]
    assert (272 in told[0].main) == (form == "tiff" and metadata == "keep")
    for product in products:
        off = np.abs(product - read_photo(path).pixels).max()
        assert off < (1e-3 if form == "exr" else 1e-6), "the product is the photo"


@pytest.mark.parametrize("metadata", ["keep", "strip"])
@pytest.mark.parametrize("form", ["png", "jpg"])
def test_files_made_in_strips_say_what_whole_ones_say(
    form: str, metadata: str, tmp_path: Path, in_strips: list[Any]
) -> None:
    path = camera_photo(tmp_path / "a.jpg")
    ways = {}
    for way, least in (("strips", 100), ("whole", 10**9)):
        large.LARGE = least
        item = go(path, out=tmp_path / way, format=form, metadata=metadata).inputs[0]
        with Image.open(item.layers["albedo"]) as albedo:
            albedo.load()
            ways[way] = dict(albedo.getexif()), albedo.info
    assert in_strips == [path]
    assert ways["strips"] == ways["whole"]
    exif, info = ways["strips"]
    said = "srgb" in info or "icc_profile" in info
    assert (exif.get(272), said) == (("Pinhole 1", True) if metadata == "keep" else (None, False))
    assert facts(tmp_path / "strips")["profile"] == "Adobe RGB (1998)"
    assert facts(tmp_path / "strips")["encoding"] == "icc"


@pytest.mark.parametrize("form", ["png", "png16", "tiff", "exr", "exr-multilayer"])
def test_a_large_finished_photo_is_never_whole_in_its_preview(
    form: str, tmp_path: Path, in_strips: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(FLAT[..., :3]).resize((700, 531)).save(path)
    at_once = go(path, out=tmp_path / "at once", format=form, preview=True).inputs[0]
    go(path, out=tmp_path / "out", format=form)
    monkeypatch.setattr("intrinsic_cli.runs.decompose.finished_preview.LARGE", 100)
    monkeypatch.setattr("intrinsic_cli.runs.decompose.finished_preview.load", None)
    monkeypatch.setattr("intrinsic_cli.kit.files.read_layers.open_layer_file", None)
    later = go(path, out=tmp_path / "out", format=form, preview=True).inputs[0]
    assert later.written == (str(tmp_path / "out/a.preview.png"),)
    sheets = []
    for item in (at_once, later):
        with Image.open(item.preview) as sheet:
            sheets.append(np.asarray(sheet, np.int16))
    assert np.abs(sheets[0] - sheets[1]).max() <= 1


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("form", ["exr", "exr32"])
def test_one_exr_of_all_layers_made_in_strips_is_that_of_the_whole(
    form: str, mode: str, tmp_path: Path, in_strips: list[Any]
) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(FLAT[..., : len(mode)]).save(path)
    channels = []
    for way, least in (("strips", 100), ("whole", 10**9)):
        large.LARGE = least
        item = go(path, out=tmp_path / way, format=form, exr_multilayer=True).inputs[0]
        assert item.layers == dict.fromkeys(item.layers, str(tmp_path / way / "a.exr"))
        with OpenEXR.File(str(tmp_path / way / "a.exr"), separate_channels=True) as file:
            channels.append({name: one.pixels for name, one in file.channels().items()})
    assert in_strips == [path]
    strips, whole = channels
    assert list(strips) == list(whole)
    assert {"R", "albedo.G", "shading.B"} <= set(strips)
    assert ("A" in strips) == (mode == "RGBA")
    for name, plane in strips.items():
        assert plane.dtype == whole[name].dtype == (np.float16 if form == "exr" else np.float32)
        assert np.abs(plane - whole[name]).max() < 2e-3, name
    one, other = facts(tmp_path / "strips"), facts(tmp_path / "whole")
    assert one["layers"] == other["layers"]
    assert one["outputs"] == other["outputs"]


@pytest.mark.parametrize("form", ["webp", "npz"])
def test_what_cannot_be_written_in_rows_is_done_whole(
    form: str, tmp_path: Path, in_strips: list[Any]
) -> None:
    item = go(photo(tmp_path / "a.png"), out=tmp_path / "out", format=form).inputs[0]
    assert item.status == "done"
    assert in_strips == []


@pytest.mark.parametrize("form", ["png", "png16", "jpg", "tiff", "exr"])
def test_the_preview_of_a_large_photo_is_that_of_the_whole(
    form: str, tmp_path: Path, in_strips: list[Any]
) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(FLAT[..., :3]).resize((700, 531)).save(path)
    sheets = []
    for way, least in (("strips", 100), ("whole", 10**9)):
        large.LARGE = least
        item = go(path, out=tmp_path / way, format=form, preview=True).inputs[0]
        assert item.written[-1] == item.preview
        with Image.open(item.preview) as sheet:
            sheets.append(np.asarray(sheet, np.int16))
    assert in_strips == [path]
    assert facts(tmp_path / "strips")["preview"] == "a.preview.png"
    off = np.abs(sheets[0] - sheets[1])
    assert off.max() <= (4 if form == "jpg" else 1), "a whole JPEG is seen as it was stored"
    assert off.mean() < 0.3


def test_a_broken_large_photo_fails_as_a_small_one(tmp_path: Path, in_strips: list[Any]) -> None:
    path = photo(tmp_path / "a.png")
    path.write_bytes(path.read_bytes()[:900])
    item = go(path, out=tmp_path / "out").inputs[0]
    assert item.status == "failed"
    assert "truncated" in item.error
    assert in_strips == []


@pytest.mark.parametrize("form", ["png", "png16", "jpg", "tiff", "exr"])
def test_a_folder_on_another_device_is_that_of_the_cpu(
    form: str, tmp_path: Path, in_strips: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Photos go there as codes, of any size and in batches; what is too small for it goes whole."""
    folder = tmp_path / "photos"
    photo(folder / "small.png")
    for name in ("a.png", "b.png", "c.jpg"):
        Image.fromarray(FLAT[..., :3]).resize((150, 131)).save(folder / name, quality=95)
    meant = go(folder, out=tmp_path / "cpu", format=form, preview=True)
    monkeypatch.setattr("intrinsic_cli.kit.inference.paths.OWN", ())
    in_strips.clear()
    found = go(folder, out=tmp_path / "device", format=form, batch_size=2, preview=True)
    assert sorted(path.name for path in in_strips) == ["a.png", "b.png", "c.jpg"]
    for one, other in zip(meant.inputs, found.inputs, strict=True):
        assert (one.status, other.status) == ("done", "done")
        for name, path in one.layers.items():
            first, second = read_photo(Path(path)), read_photo(Path(other.layers[name]))
            assert first.bits == second.bits
            # Where codes differ by one, those of JPEG may differ by a step of its own.
            apart = np.abs(first.pixels - second.pixels).max()
            assert apart < (0.03 if form == "jpg" else 0.02)
        sheets = [read_photo(Path(item.preview)).pixels for item in (one, other)]
        assert np.abs(sheets[0] - sheets[1]).max() < (0.1 if form == "jpg" else 0.02)


def test_layers_larger_than_a_photo_are_made_of_the_whole(
    tmp_path: Path, in_strips: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "photos"
    for name in ("a.png", "b.png"):
        photo(folder / name)
    real = PowerDecomposer.__call__

    def grown(self: PowerDecomposer, photos: Tensor) -> Mapping[str, Tensor]:
        layers = real(self, photos)
        return {name: layer.repeat(1, 1, 4, 4) for name, layer in layers.items()}

    monkeypatch.setattr(PowerDecomposer, "__call__", grown)
    found = go(folder, out=tmp_path / "strips", batch_size=2)
    assert in_strips == []
    large.LARGE = 10**9
    meant = go(folder, out=tmp_path / "whole")
    for one, other in zip(meant.inputs, found.inputs, strict=True):
        assert (one.status, other.status) == ("done", "done")
        assert one.layers.keys() == other.layers.keys()
        for name, path in one.layers.items():
            assert content(Path(path)) == content(Path(other.layers[name]))
    assert facts(tmp_path / "strips").keys() == facts(tmp_path / "whole").keys()
