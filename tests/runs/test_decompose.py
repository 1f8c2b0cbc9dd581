"""``decompose`` from Python: every kind of photo, broken ones, skipping, killing, and mistakes
found early."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from decomposing import DEEP, FLAT, everything, go, statuses
from light_method import DEFAULT, REGISTRY, SPEC
from PIL import Image

from intrinsic_cli.api import UsageError
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.photo import read_photo
from intrinsic_cli.registry import Registry
from intrinsic_cli.requests import DecomposeRequest, InputReport
from intrinsic_cli.runs.decompose.run import decompose

BROKEN = {"empty.jpg": "empty", "text.png": "not an image", "sub/cut.jpg": "truncated"}


def fill(folder: Path) -> dict[str, tuple[int, int]]:
    """Photos of many kinds; returns their (height, width) as seen upright, by path relative to
    ``folder``."""
    rgb = Image.fromarray(FLAT[..., :3])
    turned = Image.Exif()
    turned[274] = 6
    clear = rgb.quantize(8)
    clear.info["transparency"] = 0
    pillow: dict[str, tuple[Image.Image, dict[str, Any]]] = {
        "plain.jpg": (rgb, {}),
        "gray.jpg": (rgb.convert("L"), {}),
        "palette.png": (rgb.quantize(16), {}),
        "palette-clear.png": (clear, {"transparency": 0}),
        "cmyk.jpg": (rgb.convert("CMYK"), {}),
        "alpha.png": (Image.fromarray(FLAT), {}),
        "turned.jpg": (rgb, {"exif": turned}),
        "tiny.png": (rgb.crop((0, 0, 5, 3)), {}),
        "black.png": (Image.new("RGB", (52, 40)), {}),
        "été 写真 ☀.webp": (rgb, {}),
        "old.gif": (rgb.quantize(32), {}),
        "sub/plain.jpg": (rgb, {}),
        "sub/deeper/plain.jpg": (rgb.rotate(180), {}),
        "twin.png": (rgb, {}),
        "twin.bmp": (rgb, {}),
        "UPPER.JPG": (rgb, {}),
    }
    for name, (image, options) in pillow.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        image.save(folder / name, **options)
    deep: dict[str, Any] = {
        "deep.png": DEEP[..., :3],
        "deep-gray.tif": DEEP[..., 0],
        "real.tiff": FLAT[..., :3] / 99,
    }
    for name, codes in deep.items():
        data = codes if codes.dtype == np.uint16 else codes.astype(np.float32)
        (folder / name).write_bytes(cv2.imencode(Path(name).suffix, data)[1].tobytes())
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.png").write_text("no picture")
    (folder / "sub/cut.jpg").write_bytes((folder / "plain.jpg").read_bytes()[:600])
    (folder / "notes.txt").write_text("not looked at")
    (folder / ".hidden.png").write_bytes(b"")
    sizes = dict.fromkeys([*pillow, *deep], (40, 52))
    return sizes | {"turned.jpg": (52, 40), "tiny.png": (3, 5)}


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, tuple[int, int]]]:
    folder = tmp_path_factory.mktemp("photos")
    return folder, fill(folder)


def base(name: str) -> str:
    """Where the layers of a photo go; the twins keep their extensions."""
    return name if name.startswith("twin") else str(Path(name).with_suffix(""))


def test_a_folder_of_every_kind(
    photos: tuple[Path, dict[str, tuple[int, int]]], tmp_path: Path
) -> None:
    folder, sizes = photos
    out = tmp_path / "out"
    heard: list[InputReport] = []
    request = DecomposeRequest((folder,), "power", out, recursive=True, device="cpu")
    report = decompose(request, registry=REGISTRY, on_input=heard.append)
    assert tuple(heard) == report.inputs
    assert statuses(report) == {"done": len(sizes), "skipped": 0, "failed": 3}
    for name, size in sizes.items():
        for layer in ("albedo", "shading"):
            assert read_photo(out / f"{base(name)}.{layer}.png").pixels.shape[:2] == size
        facts = json.loads((out / f"{base(name)}.iid.json").read_text())
        assert facts["size"] == [size[1], size[0]]
        assert facts["input"] == Path(name).name
        assert facts["reconstruction_rmse"] < 0.02 * max(1, facts["layers"]["shading"]["scale"])
    assert len(everything(out)) == 3 * len(sizes), "nothing else is written"
    failed = {
        str(Path(item.input).relative_to(folder)): item.error
        for item in report.inputs
        if item.error
    }
    assert failed.keys() == BROKEN.keys()
    for name, words in BROKEN.items():
        assert words in failed[name]
        assert "\n" not in failed[name]

    before = everything(out)
    again = go(folder, out=out, recursive=True)
    assert statuses(again) == {"done": 0, "skipped": len(sizes), "failed": 3}
    assert everything(out) == before


def test_alpha_is_carried(photos: tuple[Path, dict[str, tuple[int, int]]], tmp_path: Path) -> None:
    go(photos[0] / "alpha.png", out=tmp_path)
    for layer in ("albedo", "shading"):
        alpha = read_photo(tmp_path / f"alpha.{layer}.png").alpha
        assert alpha is not None
        assert np.allclose(alpha, FLAT[..., 3] / 255, atol=1e-6)


def test_the_sidecar_says_all(
    photos: tuple[Path, dict[str, tuple[int, int]]], tmp_path: Path
) -> None:
    report = go(photos[0] / "plain.jpg", out=tmp_path, options=("power=0.25",), format="png16")
    facts = json.loads((tmp_path / "plain.iid.json").read_text())
    assert list(facts)[:4] == ["version", "input", "sha256", "size"]
    assert facts["options"] == {"power": 0.25}
    assert (facts["method"], facts["variant"], facts["weights"], facts["encoding"]) == (
        "power",
        "",
        None,
        "srgb",
    )
    item = report.inputs[0]
    assert item.layers == {
        name: str(tmp_path / f"plain.{name}.png") for name in ("albedo", "shading")
    }
    assert item.sidecar == str(tmp_path / "plain.iid.json")
    layers = {name: read_photo(Path(path)) for name, path in item.layers.items()}
    scaled = {name: layers[name].pixels * facts["layers"][name]["scale"] for name in layers}
    off = scaled["albedo"] * scaled["shading"] - read_photo(photos[0] / "plain.jpg").pixels
    assert np.sqrt(np.mean(off**2)) == pytest.approx(facts["reconstruction_rmse"], rel=1e-3)
    assert facts["reconstruction_rmse"] < 1e-4


@pytest.mark.parametrize("form", ["tiff", "exr", "npz"])
def test_float_formats_rebuild_the_photo(
    photos: tuple[Path, dict[str, tuple[int, int]]], tmp_path: Path, form: str
) -> None:
    report = go(photos[0] / "deep.png", out=tmp_path, format=form)
    facts = json.loads((tmp_path / "deep.iid.json").read_text())
    assert facts["reconstruction_rmse"] < (5e-4 if form == "exr" else 1e-6)
    assert {layer["scale"] for layer in facts["layers"].values()} == {1.0}
    assert len(set(report.inputs[0].layers.values())) == (1 if form == "npz" else 2)


@pytest.mark.skipif(os.name != "posix", reason="elsewhere every file name is text")
def test_a_file_name_may_be_any_bytes(tmp_path: Path) -> None:
    named = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9 \xff.png"))
    try:
        Image.fromarray(FLAT[..., :3]).save(named)
    except OSError:
        pytest.skip("this file system takes only text")
    Image.fromarray(FLAT[..., :3]).save(tmp_path / "z.png")
    for expected in ("done", "skipped"):
        report = go(tmp_path, out=tmp_path / "out")
        assert [item.status for item in report.inputs] == [expected, expected]
    text = (tmp_path / "out" / f"{named.stem}.iid.json").read_text(encoding="utf-8")
    assert json.loads(text)["input"] == named.name
    assert json.loads(text)["layers"]["albedo"]["file"] == f"{named.stem}.albedo.png"


def test_an_unforeseen_error_ends_one_photo_and_not_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from intrinsic_cli.runs.decompose import write

    def dump(facts: dict[str, Any]) -> str:
        return f"{{}}{1 // (facts['input'] != 'a.png')}"

    for name in ("a.png", "b.png"):
        Image.fromarray(FLAT[..., :3]).save(tmp_path / name)
    monkeypatch.setattr(write.sidecar, "dump", dump)
    report = go(tmp_path, out=tmp_path / "out")
    assert statuses(report) == {"done": 1, "skipped": 0, "failed": 1}
    assert report.inputs[0].error.startswith("unexpected ZeroDivisionError at test_decompose.py:")


def test_a_variant_gives_its_own_layers(tmp_path: Path) -> None:
    registry = Registry(
        {
            "power": replace(
                SPEC, variants=(DEFAULT, replace(DEFAULT, name="soft", layers=("shading",)))
            )
        }
    )
    Image.fromarray(FLAT[..., :3]).save(tmp_path / "a.png")
    report = go(tmp_path / "a.png", out=tmp_path / "o", registry=registry, method="power:soft")
    assert set(report.inputs[0].layers) == {"shading"}
    with pytest.raises(UsageError, match="power:soft has no layer 'albedo'"):
        go(
            tmp_path / "a.png",
            out=tmp_path / "o",
            registry=registry,
            method="power:soft",
            layers=("albedo",),
        )


def test_layers_can_be_chosen(tmp_path: Path) -> None:
    Image.fromarray(FLAT[..., :3]).save(tmp_path / "a.png")
    go(tmp_path / "a.png", out=tmp_path / "out", layers=("shading",))
    assert sorted(everything(tmp_path / "out")) == ["a.iid.json", "a.shading.png"]
    assert json.loads((tmp_path / "out/a.iid.json").read_text())["reconstruction_rmse"] is None


def test_preview(tmp_path: Path) -> None:
    Image.fromarray(FLAT[..., :3]).save(tmp_path / "a.png")
    go(tmp_path / "a.png", out=tmp_path / "out", preview=True)
    sheet = read_photo(tmp_path / "out/a.preview.png").pixels
    assert sheet.shape[1] > 3 * sheet.shape[0] / 1.5


def test_stdin(tmp_path: Path) -> None:
    data = cv2.imencode(".png", DEEP[..., :3])[1].tobytes()
    report = go(Path("-"), out=tmp_path, stdin=data)
    assert statuses(report) == {"done": 1, "skipped": 0, "failed": 0}
    assert sorted(everything(tmp_path)) == [
        "stdin.albedo.png",
        "stdin.iid.json",
        "stdin.shading.png",
    ]
    assert go(Path("-"), out=tmp_path, stdin=b"").inputs[0].error.startswith("the file is empty")


def test_equal_names_from_different_folders_are_told_apart(tmp_path: Path) -> None:
    for number, folder in enumerate(("one", "two", "three")):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (8 + number, 8), (90, 90, 90)).save(tmp_path / folder / "a.png")
    Image.new("RGB", (20, 8)).save(tmp_path / "A.jpg")
    inputs = [
        tmp_path / "one",
        tmp_path / "two/a.png",
        tmp_path / "three",
        tmp_path / "A.jpg",
        tmp_path / "one/a.png",
    ]
    report = go(*inputs, out=tmp_path / "out")
    assert statuses(report) == {"done": 4, "skipped": 0, "failed": 0}
    widths = {name: read_photo(tmp_path / f"out/{name}.albedo.png").pixels.shape[1] for name in
              ("a.png", "a.png-2", "a.png-3", "A.jpg")}  # fmt: skip
    assert widths == {"a.png": 8, "a.png-2": 9, "a.png-3": 10, "A.jpg": 20}


def test_folders_are_searched_only_where_asked(
    photos: tuple[Path, dict[str, tuple[int, int]]], tmp_path: Path
) -> None:
    folder, sizes = photos
    report = go(folder, out=tmp_path)
    assert report.count("done") == sum("/" not in name for name in sizes)


def test_results_are_not_taken_for_photos(tmp_path: Path) -> None:
    Image.fromarray(FLAT[..., :3]).save(tmp_path / "a.v2.png")
    for out in (tmp_path, tmp_path / "iid-out"):
        for expected in ("done", "skipped"):
            report = go(tmp_path, out=out, recursive=True, preview=True)
            assert [item.status for item in report.inputs] == [expected]


def test_a_photo_is_never_overwritten(tmp_path: Path) -> None:
    for name in ("a.png", "a.albedo.png"):
        Image.fromarray(FLAT[..., :3]).save(tmp_path / name)
    before = everything(tmp_path)
    with pytest.raises(UsageError, match=r"a\.albedo\.png is an input"):
        go(tmp_path, out=tmp_path)
    assert everything(tmp_path) == before


def test_missing_inputs_do_not_stop_the_others(tmp_path: Path) -> None:
    Image.fromarray(FLAT[..., :3]).save(tmp_path / "a.png")
    report = go(tmp_path / "gone.png", tmp_path / "a.png", out=tmp_path / "out")
    assert statuses(report) == {"done": 1, "skipped": 0, "failed": 1}
    assert report.inputs[0].error == "no such file"
