"""Everything a method hands out gets onto disk by its kind, whole, and is read as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up_outputs import SIZE, VALUES, layer, write_all
from PIL import Image

from intrinsic_cli.api.outputs import KINDS, kind_of
from intrinsic_cli.kit.files import sidecar
from intrinsic_cli.kit.files.outputs import Surroundings, output_files, write_output, write_outputs
from intrinsic_cli.kit.files.read_layers import LayerFile, read_layer_file
from intrinsic_cli.kit.light.colour import linear_to_srgb


def test_files_are_named_by_kind(tmp_path: Path) -> None:
    written = write_all(tmp_path / "a")
    assert {name: [file.name for file in one.files] for name, one in written.items()} == {
        **{name: [f"a.{name}.png"] for name in list(VALUES)[:6]},
        "mesh": [
            *("a.mesh.obj", "a.mesh.mtl", "a.mesh.png", "a.mesh.glb"),
            *("a.mesh-2.obj", "a.mesh-2.glb"),
        ],
        "light": ["a.light.json"],
        "texture": ["a.texture.png"],
        "turntable": ["a.turntable.gif"],
    }
    there = {path for one in written.values() for path in one.files}
    assert there == set(tmp_path.iterdir()), "nothing else is left behind"
    for name, one in written.items():
        count = len(VALUES[name]) if isinstance(VALUES[name], list) else 1
        assert set(one.files) <= set(
            output_files(tmp_path / "a", name, kind_of(name), "png", count)
        )


@pytest.mark.parametrize(
    ("form", "suffix"),
    [("png16", ".png"), ("jpg", ".jpg"), ("tiff", ".tiff"), ("exr", ".exr"), ("exr32", ".exr")],
)
def test_only_layers_follow_the_format(tmp_path: Path, form: str, suffix: str) -> None:
    base = tmp_path / "a.b"
    assert output_files(base, "mask", KINDS["mask"], form) == [tmp_path / f"a.b.mask{suffix}"]
    assert output_files(base, "sun", KINDS["record"], form) == [tmp_path / "a.b.sun.json"]
    assert [path.name for path in output_files(base, "t", KINDS["texture"], form, 3)] == [
        *("a.b.t.png", "a.b.t-2.png", "a.b.t-3.png"),
    ]


def test_npz_holds_all_layers(tmp_path: Path) -> None:
    written = write_all(tmp_path / "a", "npz")
    names = {path.name for path in tmp_path.iterdir()}
    assert {"a.npz", "a.light.json", "a.mesh.obj"} <= names
    with np.load(tmp_path / "a.npz") as arrays:
        assert set(arrays) == {name for name in VALUES if kind_of(name).is_layer}
        assert np.array_equal(arrays["normals"], VALUES["normals"])
    assert written["albedo"].entry["files"] == ["a.npz"]
    assert list(written) == list(VALUES)


def test_entries_tell_how_to_read(tmp_path: Path) -> None:
    written = write_all(tmp_path / "a")
    entries = {name: one.entry for name, one in written.items()}
    assert entries["mask"] == {
        "kind": "mask",
        "files": ["a.mask.png"],
        "encoding": "linear",
        "scale": 1.0,
    }
    encodings = [entries[name]["encoding"] for name in ("albedo", "residual", "normals", "depth")]
    assert encodings == ["srgb", "signed", "normals", "linear"]
    assert entries["light"] == {"kind": "record", "files": ["a.light.json"]}
    json.dumps(entries, allow_nan=False)


@pytest.mark.parametrize("form", ["png", "png16", "tiff", "exr", "exr32", "npz"])
def test_layers_of_every_kind_are_read_as_they_were(tmp_path: Path, form: str) -> None:
    written = write_all(tmp_path / "a", form)
    facts = sidecar.describe_outputs(written)
    atol = 0.02 if form == "png" else 2e-3
    for name, about in facts["layers"].items():
        file = LayerFile(tmp_path / about["file"], about["encoding"], about["scale"], name)
        found, resized = read_layer_file(name, file, SIZE)
        assert not resized
        assert found.shape == VALUES[name].shape
        assert np.allclose(found, VALUES[name], atol=atol)
        assert np.allclose(written[name].stored.linear(slice(None)), found, atol=1e-6)  # type: ignore[union-attr]  # layers


@pytest.mark.parametrize("name", ["mask", "depth", "normals", "albedo"])
def test_files_of_others_are_read_as_their_kind_is_written(tmp_path: Path, name: str) -> None:
    """Without a sidecar."""
    written = write_output(tmp_path / "a", name, kind_of(name), VALUES[name], "png16")
    found, _ = read_layer_file(name, LayerFile(written.files[0]), SIZE)
    assert np.allclose(found, VALUES[name], atol=2e-3)


def test_a_share_that_was_clipped_is_told(tmp_path: Path) -> None:
    bright = np.full((4, 5, 3), 1.0, np.float32)
    bright[0, 0] = 1e5
    entry = write_output(tmp_path / "a", "shading", KINDS["factor"], bright, "exr").entry
    assert entry["clipped"] == pytest.approx(0.05)
    assert (
        "clipped"
        not in write_output(tmp_path / "a", "shading", KINDS["factor"], bright, "exr32").entry
    )


def test_textures_are_srgb(tmp_path: Path) -> None:
    texture = np.float32([[[0, 0.5, 1], [2, 0.1, 0.2]]])
    (path,) = write_output(tmp_path / "a", "skin", KINDS["texture"], [texture], "exr").files
    codes = np.asarray(Image.open(path))
    assert np.abs(codes - linear_to_srgb(np.clip(texture, 0, 1)) * 255).max() < 0.54


def test_animations_repeat_at_their_pace(tmp_path: Path) -> None:
    colours = np.float32([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]])
    frames = np.broadcast_to(colours[:, None, None], (3, 6, 8, 3))
    pace = Surroundings(fps=10)
    (path,) = write_output(tmp_path / "a", "spin", KINDS["animation"], [frames], "png", pace).files
    with Image.open(path) as image:
        assert (image.format, image.n_frames, image.size) == ("GIF", 3, (8, 6))
        assert image.info["loop"] == 0
        for number in range(3):
            image.seek(number)
            assert image.info["duration"] == 100
            codes = np.asarray(image.convert("RGB"))[2, 3]
            assert np.allclose(codes, linear_to_srgb(colours[number]) * 255, atol=2)


def test_a_retouched_photo_has_the_photos_own_alpha_and_no_regions(tmp_path: Path) -> None:
    regions: Any = np.zeros(SIZE, np.float32)
    own: Any = np.ones(SIZE, np.float32)
    outputs = {name: (kind_of(name), layer(name)) for name in ("albedo", "relit")}
    written = write_outputs(tmp_path / "a", outputs, "png", Surroundings(regions, own))
    holds = {name: _picture(one.files[0])[..., 3] for name, one in written.items()}
    assert holds["albedo"].max() == 0
    assert holds["relit"].min() == 255
    (path,) = write_outputs(tmp_path / "b", outputs, "png", Surroundings(regions))["relit"].files
    assert _picture(path).shape == (*SIZE, 3)


def _picture(path: Path) -> Any:
    with Image.open(path) as picture:
        return np.asarray(picture)
