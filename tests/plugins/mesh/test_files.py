"""What is written to disk, as other programs read it: the right colours in the right places, faces
wound outward, normals, a camera that fits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pygltflib
import pytest
import trimesh
from PIL import Image

from intrinsic_cli.kit.light.colour import srgb_to_linear
from intrinsic_cli.requests import DecomposeRequest
from intrinsic_cli.runs.decompose import decompose

from .objects_drawn import body, name_of, quarters, save

SIDE = 96
SUFFIXES = {
    "mesh": {".obj", ".mtl", ".png", ".glb"},
    "mask": {".png"},
    "camera": {".json"},
    "turntable": {".gif"},
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The outputs of the object with four colours: ``duck.*``."""
    folder = tmp_path_factory.mktemp("mesh")
    given = save(folder / "duck.png", SIDE)
    options = ("refine=40", "frames=8")
    request = DecomposeRequest((given,), "mesh:fit", folder / "out", options=options, device="cpu")
    (report,) = decompose(request).inputs
    assert report.status == "done", report.error
    assert report.notes == ()
    for name, suffixes in SUFFIXES.items():
        assert {Path(file).suffix for file in report.outputs[name]} == suffixes
    return folder / "out" / "duck"


def read(place: Path, end: str) -> Path:
    return place.with_name(f"{place.name}.{end}")


def check_colours(points: Any, colours: Any) -> None:
    """Vertices that are well inside a quarter of the picture have its colour, on both sides."""
    low, high = points.min(axis=0), points.max(axis=0)
    middle, reach = (low + high) / 2, (high - low) / 2
    right, up, towards = ((points - middle) / reach).T
    clear = (np.abs(right) > 0.25) & (np.abs(up) > 0.35) & (np.abs(towards) > 0.3)
    clear &= np.abs(right) < 0.7
    for side in (1, -1):
        chosen = np.flatnonzero(clear & (np.sign(towards) == side))
        assert len(chosen) > 20
        places = [(int(np.sign(right[k])), int(np.sign(up[k]))) for k in chosen]
        right_ones = [name_of(colours[k]) == place for k, place in zip(chosen, places, strict=True)]
        assert len(set(places)) == 4
        assert np.mean(right_ones) > 0.9


def test_the_obj_has_the_right_colours_in_the_right_places(place: Path) -> None:
    mesh = trimesh.load(read(place, "mesh.obj"), process=False)
    check_colours(mesh.vertices, mesh.visual.to_color().vertex_colors)


def test_the_glb_has_them_too(place: Path) -> None:
    mesh = trimesh.load(read(place, "mesh.glb"), process=False, force="mesh")
    check_colours(mesh.vertices, mesh.visual.to_color().vertex_colors)


@pytest.mark.parametrize("end", ["mesh.obj", "mesh.glb"])
def test_surfaces_are_closed_and_wound_outward(place: Path, end: str) -> None:
    mesh = trimesh.load(read(place, end), process=False, force="mesh")
    mesh = trimesh.Trimesh(mesh.vertices, mesh.faces)
    mesh.merge_vertices(digits_vertex=6)
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert mesh.volume > 0, "outward: the signed volume is positive"
    assert np.isfinite(mesh.vertices).all()
    assert len(mesh.faces) == 1280


def test_normals_of_the_glb_point_outward(place: Path) -> None:
    scene = pygltflib.GLTF2().load(str(read(place, "mesh.glb")))
    (primitive,) = scene.meshes[0].primitives
    points = accessor(scene, primitive.attributes.POSITION)
    normals = accessor(scene, primitive.attributes.NORMAL)
    assert np.allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-4)
    outward = ((points - points.mean(axis=0)) * normals).sum(axis=1)
    assert (outward > 0).mean() > 0.95
    uv = accessor(scene, primitive.attributes.TEXCOORD_0)
    assert 0 <= uv.min() <= uv.max() <= 1
    assert scene.images[0].mimeType == "image/png"


def accessor(scene: pygltflib.GLTF2, number: int) -> Any:
    """An accessor of floats as [N,C]."""
    entry = scene.accessors[number]
    part = scene.bufferViews[entry.bufferView]
    columns = {"VEC2": 2, "VEC3": 3}[entry.type]
    begin = part.byteOffset + (entry.byteOffset or 0)
    numbers = np.frombuffer(scene.binary_blob(), "<f4", entry.count * columns, begin)
    return numbers.reshape(-1, columns)


def test_the_camera_takes_the_mesh_to_the_photo(place: Path) -> None:
    camera = json.loads(read(place, "camera.json").read_text())
    assert set(camera) >= {"scale", "translation", "quaternion", "iou", "hypotheses", "pixels"}
    assert camera["iou"] > 0.9
    assert camera["hypotheses"] == [1.0]
    assert np.linalg.norm(camera["quaternion"]) == pytest.approx(1, abs=1e-5)
    mesh = trimesh.load(read(place, "mesh.obj"), process=False)
    points = np.column_stack([mesh.vertices, np.ones(len(mesh.vertices))])
    x, y = (np.array(camera["pixels"]) @ points.T).astype(int)
    inside = body(SIDE)[np.clip(y, 0, SIDE - 1), np.clip(x, 0, SIDE - 1)]
    assert inside.mean() > 0.85
    columns = np.flatnonzero(body(SIDE).any(axis=0))
    assert abs(x.min() - columns[0]) < 4
    assert abs(x.max() - columns[-1]) < 4
    assert x.min() / (SIDE / 2) - 1 == pytest.approx(-camera["scale"], abs=0.3)


def test_layers_make_the_render(place: Path) -> None:
    sidecar = json.loads(read(place, "iid.json").read_text())
    linear = {}
    for name in ("albedo", "shading", "render"):
        codes = np.asarray(Image.open(read(place, f"{name}.png")).convert("RGBA"), float) / 255
        linear[name] = srgb_to_linear(codes[..., :3]) * sidecar["layers"][name]["scale"]
        opaque = codes[..., 3] == 1
    covered = np.asarray(Image.open(read(place, "mask.png")).convert("LA"))[..., 0] > 0
    shown = covered & opaque
    product = linear["albedo"] * linear["shading"]
    # The very brightest are clipped in files of integers.
    assert np.quantile(np.abs(product - linear["render"])[shown], 0.99) < 0.03
    truth = body(SIDE)
    assert (shown & truth).sum() / (shown | truth).sum() > 0.9


def test_the_turntable_turns(place: Path) -> None:
    with Image.open(read(place, "turntable.gif")) as film:
        assert getattr(film, "n_frames", 1) == 8
        first = np.asarray(film.convert("RGB"), float)
        film.seek(2)
        later = np.asarray(film.convert("RGB"), float)
    assert np.abs(later - first).mean() > 2


def test_a_mask_of_two_objects_makes_a_mesh_of_each(tmp_path: Path) -> None:
    side = 40
    photo, mask = tmp_path / "ducks.png", tmp_path / "mask.png"
    codes = quarters(side)
    Image.fromarray(np.hstack([codes, codes[:, ::-1]])).save(photo)
    small = body(side, size=0.5)
    Image.fromarray(np.hstack([body(side), small])).save(mask)
    request = DecomposeRequest(
        (photo,),
        "mesh:fit",
        tmp_path / "out",
        options=("refine=10", "frames=1"),
        device="cpu",
        mask=mask,
    )
    (report,) = decompose(request).inputs
    assert report.status == "done", report.error
    camera = json.loads((tmp_path / "out" / "ducks.camera.json").read_text())
    assert len(camera["objects"]) == 2
    files = [tmp_path / "out" / f"ducks.mesh{number}.obj" for number in ("", "-2")]
    for file, one, inside in zip(files, camera["objects"], (body(side), small), strict=True):
        mesh = trimesh.load(file, process=False)
        points = np.column_stack([mesh.vertices, np.ones(len(mesh.vertices))])
        x, _ = np.array(one["pixels"]) @ points.T
        columns = np.flatnonzero(inside.any(axis=0))
        first = side if inside is small else 0
        assert x.min() == pytest.approx(first + columns[0], abs=4)
        assert x.max() == pytest.approx(first + columns[-1], abs=4)
