"""A mesh method and a face method by strangers: they train, decompose to files and are scored,
with a dataset and a protocol of their own, and touch no file of the house."""

from __future__ import annotations

import ast
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from iid_face.discs import COLOUR
from PIL import Image

from intrinsic_cli.cli import iid
from intrinsic_cli.kit.files.photo import read_photo
from intrinsic_cli.registry import load_registry
from intrinsic_cli.testing import check_method

FOREIGN = Path(__file__).parent / "foreign"
TRAIN = ("--steps", "2", "--set", "batch_size=2", "--set", "crop=16", "--device", "cpu")


def run(*words: str) -> Result:
    done = CliRunner().invoke(iid, words)
    assert done.exit_code == 0, done.output
    return done


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """A photo with two faces, of which one leans 30 degrees to the left, and one without any."""
    folder = tmp_path / "photos"
    folder.mkdir()
    y, x = np.mgrid[:120, :200] + 0.5
    photo = np.full((120, 200, 3), 0.2)
    for left, top, angle in ((50, 60, 0.0), (145, 60, 30.0)):
        turn = math.radians(angle)
        across = (x - left) * math.cos(turn) - (y - top) * math.sin(turn)
        along = (x - left) * math.sin(turn) + (y - top) * math.cos(turn)
        inside = (across / 24) ** 2 + (along / 36) ** 2 < 1
        photo[inside] = (0.6 + across[inside, None] / 100) * COLOUR
    save(folder / "two.png", photo)
    save(folder / "none.png", np.full((40, 50, 3), 0.5))
    return folder


def save(path: Path, linear: Any) -> None:
    Image.fromarray((np.sqrt(linear) * 255).astype(np.uint8)).save(path)


@pytest.mark.parametrize("name", ["blob", "face"])
def test_they_keep_the_contract(name: str) -> None:
    check_method(load_registry().methods[name])


@pytest.mark.parametrize("name", ["blob", "face"])
def test_they_know_only_the_contract_and_the_workshop(name: str) -> None:
    for path in (FOREIGN / f"iid_{name}").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                parts = node.module.split(".")
                assert parts[0] != "intrinsic_cli" or parts[1] in ("api", "kit")


def test_a_mesh_method_from_training_to_files(tmp_path: Path, home: Path) -> None:
    folder = str(tmp_path / "run")
    run("train", "-m", "blob", "--data", "discs", "--out", folder, *TRAIN, "--install")
    y, x = np.mgrid[-1:1:60j, -1:1:80j]
    cup = np.where(x**2 + y**2 < 0.5, 0.9, 0.01)[..., None].repeat(3, 2)
    save(tmp_path / "cup.png", cup)
    out = tmp_path / "out"
    done = run("decompose", str(tmp_path / "cup.png"), "-m", "blob", "-o", str(out), "--json")
    names = {
        "mask": ["cup.mask.png"],
        "render": ["cup.render.png"],
        "mesh": ["cup.mesh.obj", "cup.mesh.mtl", "cup.mesh.png", "cup.mesh.glb"],
        "camera": ["cup.camera.json"],
        "turntable": ["cup.turntable.gif"],
    }
    facts = json.loads((out / "cup.iid.json").read_text())
    assert {name: sorted(entry["files"]) for name, entry in facts["outputs"].items()} == {
        name: sorted(files) for name, files in names.items()
    }
    assert facts["layers"].keys() == {"mask", "render"}
    assert 0 < facts["covered"] < 1
    told = json.loads(done.stdout)
    written = {Path(path).name for path in told["written"]}
    assert written == {name for files in names.values() for name in files}
    assert told["outputs"].keys() == names.keys()
    assert all(Path(path).stat().st_size for path in told["written"])
    mask = read_photo(out / "cup.mask.png", "linear").pixels[..., 0]
    assert mask[30, 40] > 0.9, "written as it is, not as light"
    assert mask[0, 0] < 0.1
    assert json.loads((out / "cup.camera.json").read_text())["projection"] == "orthographic"
    with Image.open(out / "cup.turntable.gif") as film:
        assert film.n_frames == 6  # type: ignore[attr-defined]
    again = run("decompose", str(tmp_path / "cup.png"), "-m", "blob", "-o", str(out), "--json")
    assert json.loads(again.stdout)["status"] == "skipped"
    (out / "cup.mesh.glb").unlink()
    again = run("decompose", str(tmp_path / "cup.png"), "-m", "blob", "-o", str(out), "--json")
    assert json.loads(again.stdout)["status"] == "done"
    only = run("decompose", str(tmp_path / "cup.png"), "-m", "blob", "-o", str(tmp_path / "o"),
               "--layers", "camera,mesh")  # fmt: skip
    assert len(only.stdout.splitlines()) == 5


def test_a_face_method_from_training_to_files(faces: Path, tmp_path: Path, home: Path) -> None:
    folder = str(tmp_path / "run")
    run("train", "-m", "face", "--data", "discs", "--out", folder, *TRAIN, "--install")
    out = tmp_path / "out"
    words = ["decompose", str(faces), "-m", "face", "-o", str(out), "--format", "tiff", "--json"]
    done = CliRunner().invoke(iid, words)
    assert done.exit_code == 3
    told = {Path(item["input"]).stem: item for item in map(json.loads, done.stdout.splitlines())}
    assert told["none"]["error"] == "the method found nothing to look at in it"

    facts = json.loads((out / "two.iid.json").read_text())
    upright, leaning = sorted(facts["regions"], key=lambda region: region["box"][0])
    assert (upright["label"], upright["angle"]) == ("face", 0)
    assert upright["box"] == pytest.approx([26, 24, 48, 72], abs=2)
    assert leaning["angle"] == pytest.approx(30, abs=2)
    assert upright["transform"] == [[1, 0, upright["box"][0]], [0, 1, upright["box"][1]]]
    assert {"pixels", "brightness"} <= upright["facts"].keys()

    light = json.loads((out / "two.light.json").read_text())["faces"]
    first, second = (np.array(face["towards"]) for face in sorted(light, key=lambda f: f["box"][0]))
    turn = math.radians(leaning["angle"])
    turned = np.array([math.cos(turn), math.sin(turn)]) * np.hypot(*first[:2])
    assert first[0] > 0.05
    assert abs(first[1]) < 0.05
    assert np.allclose(second[:2], turned, atol=0.05), "its light comes turned as it is"

    layers = {name: read_photo(out / f"two.{name}.tiff") for name in ("albedo", "shading", "mask")}
    photo = read_photo(faces / "two.png").pixels
    rebuilt = layers["albedo"].pixels * layers["shading"].pixels
    assert np.allclose(rebuilt, photo, atol=1e-5)
    alpha = layers["mask"].alpha
    assert alpha is not None
    assert alpha[60, 50] == 1
    assert alpha[5, 5] == 0
    assert np.array_equal(layers["albedo"].pixels[:20, :20], photo[:20, :20])


def test_a_face_method_is_scored_by_its_own_protocol(tmp_path: Path, home: Path) -> None:
    folder = str(tmp_path / "run")
    run("train", "-m", "face", "--data", "discs", "--out", folder, *TRAIN, "--install")
    table = tmp_path / "table.json"
    run("evaluate", "-m", "face", "--data", "discs", "--device", "cpu", "--json", str(table))
    told = json.loads(table.read_text())
    assert told["protocol"] == "discs"
    row = next(row for row in told["rows"] if row["method"] == "face")
    scores = {**row, **row.get("metrics", {}), **row.get("scores", {})}
    assert 0 < scores["normals_angle"] < 60
    assert 0 < scores["light_angle"] < 60
    assert scores["found"] == 100
