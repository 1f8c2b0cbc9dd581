"""Layers of other programs are found by their names, and read as what they are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from intrinsic_cli.api import Case, DataError, Silent, UsageError
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.read_layers import read_layer_file
from intrinsic_cli.kit.light.colour import encode_codes
from intrinsic_cli.registry import load_registry, open_protocol
from intrinsic_cli.runs.evaluate.candidates import PredictionsCandidate
from intrinsic_cli.runs.evaluate.predictions import (
    LayerFile,
    MissingError,
    Predictions,
    open_predictions,
)

BOTH = ("albedo", "shading")
SCHEMES = (
    ("sub/pear.albedo.png", "sub/pear.shading.jpg"),
    ("sub_pear_albedo.png", "sub_pear_shading.png"),
    ("sub-pear-albedo.png", "sub-pear-shading.png"),
    ("sub/pear-r.png", "sub/pear-s.png"),
    ("sub/pear_Reflectance.PNG", "sub/pear_Shading.PNG"),
    ("albedo/sub/pear.png", "shading/sub/pear.exr"),
    ("sub/pear/albedo.png", "sub/pear/shading.png"),
    ("sub/pear/diffuse.albedo.png", "sub/pear/diffuse.shading.png"),
    ("sub_pear_image.albedo.png", "sub_pear_image.shading.png"),
)


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return folder


@pytest.mark.parametrize("names", SCHEMES, ids=lambda names: names[0])
def test_common_schemes_are_understood(names: tuple[str, str], tmp_path: Path) -> None:
    found = Predictions(fill(tmp_path, *names, "notes.txt", ".hidden_albedo.png"), {}).find(
        "sub/pear", BOTH
    )
    assert {layer: stored.path for layer, stored in found.items()} == {
        "albedo": tmp_path / names[0],
        "shading": tmp_path / names[1],
    }


def test_a_float_file_goes_before_its_picture(tmp_path: Path) -> None:
    folder = Predictions(fill(tmp_path, "a_albedo.jpg", "a_albedo.png", "a_albedo.exr"), {})
    assert folder.find("a", BOTH)["albedo"].path.suffix == ".exr"
    assert folder.offers == ("albedo",)


def test_missing_files_are_called_as_the_others_are(tmp_path: Path) -> None:
    folder = Predictions(fill(tmp_path, "a-r.png", "a-s.jpg", "b-r.png"), {})
    folder.find("a", BOTH)
    with pytest.raises(MissingError) as caught:
        folder.find("b", BOTH)
    assert caught.value.files == ("b-s.jpg",)
    with pytest.raises(MissingError, match=r"lacks c-r\.png, c-s\.jpg"):
        folder.find("c", BOTH)
    assert list(folder.find("b", ("albedo", "normals"))) == ["albedo"]


def test_patterns(tmp_path: Path) -> None:
    fill(tmp_path, "out/ref_a[1].png", "out/ref_b.png", "out/ref_b.png.jpg", "b.shading.png")
    folder = Predictions(tmp_path, {"albedo": "out/ref_{case}.*"})
    assert folder.find("a[1]", ("albedo",))["albedo"].path.name == "ref_a[1].png"
    with pytest.raises(DataError, match=r"fits ref_b\.png and ref_b\.png\.jpg"):
        folder.find("b", BOTH)
    with pytest.raises(MissingError, match=r"out/ref_c\.\*"):
        folder.find("c", ("albedo",))
    for pattern in ("albedo", "albedo=*.png"):
        with pytest.raises(UsageError, match="is no pattern"):
            open_predictions(str(tmp_path), (pattern,), "auto")


def test_names_of_rows(tmp_path: Path) -> None:
    fill(tmp_path, "tool/a_albedo.png", "x=y/a_albedo.png")
    for text, name in (
        (f"{tmp_path}/tool", "tool"),
        (f"t={tmp_path}/tool", "t"),
        (f"{tmp_path}/x=y", "x=y"),
    ):
        assert open_predictions(text, (), "auto")[0] == name


def test_a_wrong_folder_says_what_it_holds(tmp_path: Path) -> None:
    fill(tmp_path, "photos/coffee.png", "photos/cat.png", "bare/x.txt")
    for folder, told in (
        ("gone", "no folder of predictions at"),
        ("bare", "no picture"),
        ("photos", "it holds cat.png"),
    ):
        with pytest.raises(DataError, match=told):
            open_predictions(str(tmp_path / folder), (), "auto")


def test_sidecars_tell_encoding_and_scale(tmp_path: Path) -> None:
    layer = np.linspace(0, 2, 48, dtype=np.float32).reshape(6, 8, 1)
    cv2.imwrite(str(tmp_path / "a_image.shading.png"), encode_codes(layer, 16, 2.0))
    facts = {"shading": {"file": "a_image.shading.png", "encoding": "srgb", "scale": 2.0}}
    (tmp_path / "a_image.iid.json").write_text(json.dumps({"layers": facts}))
    stored = Predictions(tmp_path, {}, "linear").find("a", BOTH)["shading"]
    assert stored == LayerFile(tmp_path / "a_image.shading.png", "srgb", 2.0, "shading")
    found, resized = read_layer_file("shading", stored, (6, 8))
    assert np.allclose(found, layer, atol=1e-4)
    assert not resized


def test_encoding_of_other_files(tmp_path: Path) -> None:
    codes = np.full((4, 5, 3), 128, np.uint8)
    Image.fromarray(codes).save(tmp_path / "a_albedo.png")
    cv2.imwrite(str(tmp_path / "a_shading.tiff"), np.full((4, 5), 3.5, np.float32))
    for encoding, value in (("auto", 0.2159), ("srgb", 0.2159), ("linear", 128 / 255)):
        files = Predictions(tmp_path, {}, encoding).find("a", BOTH)
        assert read_layer_file("albedo", files["albedo"], (4, 5))[0].mean() == pytest.approx(
            value, abs=1e-3
        )
    shading, _ = read_layer_file("shading", LayerFile(tmp_path / "a_shading.tiff"), (4, 5))
    assert shading.mean() == 3.5


def test_arrays(tmp_path: Path) -> None:
    albedo = np.random.default_rng(0).random((3, 7, 9))
    np.savez(tmp_path / "a.npz", r=albedo, other=1)
    np.save(tmp_path / "a_shading.npy", albedo[0])
    files = Predictions(tmp_path, {}).find("a", BOTH)
    found, _ = read_layer_file("albedo", files["albedo"], (7, 9))
    assert np.allclose(found, albedo.transpose(1, 2, 0))
    found, _ = read_layer_file("shading", files["shading"], (7, 9))
    assert np.allclose(found[..., 0], albedo[0])
    np.save(tmp_path / "a_shading.npy", np.zeros((2, 3, 4, 5)))
    with pytest.raises(DataError, match=r"shape \(2, 3, 4, 5\)"):
        read_layer_file("shading", files["shading"], (7, 9))
    (tmp_path / "a_shading.npy").write_bytes(b"no array")
    with pytest.raises(DataError, match="no array iid can read"):
        read_layer_file("shading", files["shading"], (7, 9))


def test_normals_keep_their_sign(tmp_path: Path) -> None:
    normals = np.random.default_rng(0).uniform(-1, 1, (6, 8, 3)).astype(np.float32)
    cv2.imwrite(str(tmp_path / "a.tiff"), normals[..., ::-1])
    cv2.imwrite(str(tmp_path / "a.png"), ((normals[..., ::-1] + 1) * 32767.5).astype(np.uint16))
    for name in ("a.tiff", "a.png"):
        assert np.allclose(
            read_layer_file("normals", LayerFile(tmp_path / name), (6, 8))[0], normals, atol=1e-4
        )


def test_layers_of_another_size_are_brought_to_the_photo(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 5, 3), 255, np.uint8)).save(tmp_path / "a.png")
    found, resized = read_layer_file("albedo", LayerFile(tmp_path / "a.png"), (8, 10))
    assert resized
    assert found.shape == (8, 10, 1)
    assert np.allclose(found, 1)


def test_floats_have_the_scale_of_their_sidecar_too(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.tiff"), np.full((4, 5), 0.5, np.float32))
    np.save(tmp_path / "a.npy", np.full((4, 5), 0.5))
    for name in ("a.tiff", "a.npy"):
        found, _ = read_layer_file("shading", LayerFile(tmp_path / name, scale=3.0), (4, 5))
        assert np.allclose(found, 1.5)


def test_the_alpha_of_arrays_is_left_out(tmp_path: Path) -> None:
    albedo = np.random.default_rng(0).random((4, 5, 4))
    np.save(tmp_path / "a.npy", albedo)
    found, _ = read_layer_file("albedo", LayerFile(tmp_path / "a.npy"), (4, 5))
    assert np.allclose(found, albedo[..., :3])


def test_arrays_may_hold_codes_of_srgb(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.full((4, 5), 0.5, np.float32))
    for encoding, value in (("auto", 0.5), ("linear", 0.5), ("srgb", 0.21404)):
        file = LayerFile(tmp_path / "a.npy", encoding)
        assert np.allclose(read_layer_file("albedo", file, (4, 5))[0], value, atol=1e-4)


@pytest.mark.parametrize("encoding", ["srgb", "linear"])
def test_codes_of_normals_are_vectors_whatever_is_said_of_light(
    tmp_path: Path, encoding: str
) -> None:
    codes = np.random.default_rng(0).integers(0, 256, (4, 5, 3)).astype(np.uint8)
    Image.fromarray(codes).save(tmp_path / "a.png")
    found, _ = read_layer_file("normals", LayerFile(tmp_path / "a.png", encoding), (4, 5))
    assert np.allclose(found, codes / 127.5 - 1, atol=1e-5)


def test_floats_go_before_codes(tmp_path: Path) -> None:
    ranked = (".npy", ".exr", ".tiff", ".png", ".jpg")
    for suffix in ranked:
        (tmp_path / f"a.albedo{suffix}").write_bytes(b"not looked into")
    for suffix in ranked:
        file = Predictions(tmp_path, {}).find("a", ("albedo",))["albedo"].path
        assert file.suffix == suffix
        file.unlink()


class Notes(Silent):
    """Progress that keeps what it is told."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        self.texts.append(text)


def test_resized_layers_are_told_of_once(tmp_path: Path) -> None:
    cases = []
    for name in ("one", "two"):
        Image.fromarray(np.zeros((4, 5, 3), np.uint8)).save(tmp_path / f"{name}.albedo.png")
        photo = np.ones((8, 10, 3), np.float32)
        cases.append(Case(name, photo, {"albedo": photo}, np.ones((8, 10), bool)))
    notes = Notes()
    candidate = PredictionsCandidate("tool", Predictions(tmp_path, {}))
    candidate.open(open_protocol("mit", load_registry()), notes)
    for case in cases:
        assert candidate.answer(case)["albedo"].shape[:2] == (8, 10)
    (note,) = notes.texts
    assert note.startswith("tool: ")
    assert "(one first)" in note
