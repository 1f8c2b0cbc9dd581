"""Everything a method hands out gets onto disk by its kind, whole, and into the sidecar."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from intrinsic_cli.api import PluginError, Region
from intrinsic_cli.api.outputs import KINDS, Mesh, kind_of
from intrinsic_cli.kit.files import sidecar
from intrinsic_cli.kit.files.outputs import (
    Surroundings,
    Written,
    output_files,
    write_output,
    write_outputs,
)
from intrinsic_cli.kit.files.read_layers import LayerFile, read_layer_file
from intrinsic_cli.kit.light.colour import linear_to_srgb

RNG = np.random.default_rng(0)
SIZE = (12, 16)
CORNERS = np.float32([[-1, -1, 0], [1, -1, 0], [1, 1, 0]])
MESH = Mesh(CORNERS, [[0, 1, 2]], texture=np.full((4, 4, 3), 0.5), uv=(CORNERS[:, :2] + 1) / 2)


def layer(name: str) -> Any:
    kind = kind_of(name)
    values = RNG.random((*SIZE, kind.channels[-1])).astype(np.float32)
    if kind.low != 0:
        values = values * 2 - 1
    if kind.name == "vector":
        values /= np.linalg.norm(values, axis=2, keepdims=True)
    return values


VALUES: dict[str, Any] = {
    **{name: layer(name) for name in ("albedo", "shading", "residual", "normals", "mask", "depth")},
    "mesh": [MESH, Mesh(CORNERS, [[0, 1, 2]])],
    "light": {"coefficients": np.ones((2, 3)), "angle": np.float32(0.5), "name": "Sonne ☀"},
    "texture": [np.full((3, 5, 3), 0.5)],
    "turntable": [np.linspace(0, 1, 4 * 6 * 7 * 3).reshape(4, 6, 7, 3)],
}


def write_all(base: Path, form: str = "png") -> dict[str, Written]:
    return write_outputs(base, {name: (kind_of(name), VALUES[name]) for name in VALUES}, form)


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


def test_records_are_json(tmp_path: Path) -> None:
    (path,) = write_output(tmp_path / "a", "light", KINDS["record"], VALUES["light"], "png").files
    assert json.loads(path.read_bytes().decode()) == {
        "coefficients": [[1.0] * 3] * 2,
        "angle": 0.5,
        "name": "Sonne ☀",
    }


class Circle(dict[str, Any]):
    """It holds itself."""

    def __init__(self) -> None:
        self["me"] = self


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"sun": {"angle": [1.0, float("nan")]}}, r"sun\.angle\[1\] is nan"),
        ({"sun": np.array([1, np.inf])}, r"sun\[1\] is inf"),
        ({"sun": {1, 2}}, "sun is a set"),
        ({"sun": b"1"}, "sun is a bytes"),
        ({3: "sun"}, "3 in it is no name"),
        ([1, 2], "it is a list, not a record"),
        (Circle(), "nested too deeply"),
    ],
)
def test_records_that_json_cannot_hold(tmp_path: Path, record: Any, words: str) -> None:
    with pytest.raises(PluginError, match=words) as caught:
        write_output(tmp_path / "a", "light", KINDS["record"], record, "png")
    assert caught.value.message.startswith("record 'light': ")
    assert not list(tmp_path.iterdir())


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


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("texture", [np.zeros((3, 4))], r"texture 'texture': its shape is \(3, 4\)"),
        ("texture", [np.full((3, 4, 3), np.nan)], "not finite"),
        ("texture", np.zeros((3, 4, 3)), "is a ndarray, not a list"),
        ("turntable", [np.zeros((3, 4, 3))], r"not \[T,h,w,3\]"),
        ("turntable", [np.zeros((0, 3, 4, 3))], r"not \[T,h,w,3\]"),
        ("mesh", MESH, "is a Mesh, not a list"),
        ("mesh", [None], "mesh 'mesh': it is a NoneType"),
        ("mask", np.zeros((3, 4, 3), np.float32), "a mask has 1 channels"),
        ("albedo", np.zeros((3, 4), np.float32), r"has the shape \(3, 4\)"),
    ],
)
def test_what_is_not_of_its_kind_is_told(tmp_path: Path, name: str, value: Any, words: str) -> None:
    with pytest.raises(PluginError) as caught:
        write_output(tmp_path / "a", name, kind_of(name), value, "png")
    assert re.search(words, f"{caught.value.message} {caught.value.hint}")
    assert not list(tmp_path.iterdir())


def test_the_sidecar_vouches_for_all_outputs(tmp_path: Path) -> None:
    made = {"version": 1, "method": "toy"}
    described = sidecar.describe_outputs(write_all(tmp_path / "a"))
    path = tmp_path / "a.iid.json"
    path.write_text(sidecar.dump({**made, **described}))
    facts = sidecar.read(path)
    assert facts is not None
    assert set(facts["layers"]) == {name for name in VALUES if kind_of(name).is_layer}
    assert facts["layers"]["albedo"] == {"file": "a.albedo.png", "encoding": "srgb", "scale": 1.0}
    files = list(sidecar.files(facts))
    assert len(files) == len(set(files))
    assert set(files) == {file.name for file in tmp_path.iterdir()} - {path.name}
    assert sidecar.holds(facts, made, tuple(VALUES), tmp_path)
    assert not sidecar.holds(facts, made, tuple(VALUES)[1:], tmp_path)
    assert not sidecar.holds(facts, {**made, "seed": 1}, tuple(VALUES), tmp_path)
    (tmp_path / "a.mesh-2.glb").unlink()
    assert not sidecar.holds(facts, made, tuple(VALUES), tmp_path)


def test_sidecars_of_before_still_hold(tmp_path: Path) -> None:
    facts = {"version": 1, "layers": {"albedo": {"file": "a.png", "encoding": "srgb", "scale": 1}}}
    assert not sidecar.holds(facts, {"version": 1}, ("albedo",), tmp_path)
    (tmp_path / "a.png").write_bytes(b"")
    assert sidecar.holds(facts, {"version": 1}, ("albedo",), tmp_path)
    assert list(sidecar.files({**facts, "preview": "b.png"})) == ["a.png", "b.png"]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        '{"layers": {"a": ' + "[" * 100_000 + "]" * 100_000 + "}}",
        '{"layers": {}, "x": "' + "y" * sidecar.LONGEST + '"}',
        '{"layers": []}',
        '{"layers": {}, "n": ' + "9" * 5000 + "}",
        "\ud800".encode("utf-8", "surrogatepass").decode("latin1"),
    ],
    ids=["open", "deep", "long", "list", "digits", "bytes"],
)
def test_a_strange_sidecar_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.iid.json").write_text(text, encoding="latin1")
    assert sidecar.read(tmp_path / "a.iid.json") is None


def test_strange_facts_are_survived(tmp_path: Path) -> None:
    facts = {
        "layers": {"a": {"file": 3}, "b": [], "c": None},
        "outputs": {"m": {"files": "x"}, "n": 5, "o": {"files": ["\0"]}},
    }
    assert list(sidecar.files(facts)) == ["3", "\0"]
    assert not sidecar.holds(facts, {}, ("m", "n", "o"), tmp_path)


def test_regions_are_described() -> None:
    region = Region((1.23456, 2, 30, 40), 12.5, "face", np.float32(0.75), facts={"points": 5})
    plain = Region.whole(40, 30)
    assert sidecar.describe_regions([region, plain]) == [
        {
            "label": "face",
            "box": [1.235, 2.0, 30.0, 40.0],
            "angle": 12.5,
            "confidence": 0.75,
            "facts": {"points": 5},
        },
        {"label": "region", "box": [0.0, 0.0, 30.0, 40.0], "angle": 0.0},
    ]


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
