"""Meshes come back from disk as they were, to a reader of the tests and to others, with the
texture the right way up."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from obj_reader import read_obj
from PIL import Image

from intrinsic_cli.api import PluginError
from intrinsic_cli.api.outputs import Mesh
from intrinsic_cli.kit.files.glb import vertex_normals
from intrinsic_cli.kit.files.meshes import write_mesh
from intrinsic_cli.kit.light.colour import linear_to_srgb, srgb_to_linear

#: A square seen from the front: its corners are x right, y up, and its texture shows red above on
#: the left, green above on the right, blue and white below.
CORNERS = np.float32([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]])
FACES = np.array([[0, 1, 2], [0, 2, 3]])
UV = (CORNERS[:, :2] + 1) / 2
COLOURS = {(-1, 1): "red", (1, 1): "green", (-1, -1): "blue", (1, -1): "white"}
CODES = {"red": (200, 0, 0), "green": (0, 150, 0), "blue": (0, 0, 100), "white": (250, 250, 250)}


def texture(side: int = 8) -> NDArray[np.float32]:
    rows = [[CODES[name] for name in row] for row in (("red", "green"), ("blue", "white"))]
    small = srgb_to_linear(np.float32(rows) / 255)
    return small.repeat(side // 2, axis=0).repeat(side // 2, axis=1)


def square(**more: Any) -> Mesh:
    return Mesh(CORNERS, FACES, texture=texture(), uv=UV, **more)


def seen(pixels: NDArray[Any], uv: NDArray[Any], v_up: bool) -> tuple[int, ...]:
    """The colour of a texture at a place, a little inside it."""
    u, v = np.clip(uv, 0.1, 0.9)
    height, width = pixels.shape[:2]
    row = (1 - v if v_up else v) * height
    return tuple(pixels[int(row), int(u * width), :3].tolist())


def check_corners(
    vertices: NDArray[Any], uv: NDArray[Any], pixels: NDArray[Any], v_up: bool
) -> None:
    assert len(vertices) == len(uv) >= 4
    for vertex, place in zip(vertices, uv, strict=True):
        name = COLOURS[tuple(np.sign(vertex[:2]).astype(int).tolist())]
        assert seen(pixels, place, v_up) == CODES[name]


def open_glb(path: Path) -> tuple[dict[str, Any], bytes]:
    """The two chunks, after the rules of the format."""
    data = path.read_bytes()
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    size, kind = struct.unpack_from("<I4s", data, 12)
    assert kind == b"JSON"
    assert size % 4 == 0
    scene = json.loads(data[20 : 20 + size])
    rest, kind = struct.unpack_from("<I4s", data, 20 + size)
    assert kind == b"BIN\0"
    assert rest % 4 == 0
    assert 28 + size + rest == len(data)
    return scene, data[28 + size :]


def array(scene: dict[str, Any], binary: bytes, number: int) -> NDArray[Any]:
    accessor = scene["accessors"][number]
    view = scene["bufferViews"][accessor["bufferView"]]
    dtype = {5126: "<f4", 5125: "<u4"}[accessor["componentType"]]
    columns = {"SCALAR": 1, "VEC2": 2, "VEC3": 3}[accessor["type"]]
    assert view["byteOffset"] % 4 == 0
    count = accessor["count"] * columns
    found = np.frombuffer(binary, dtype, count, view["byteOffset"]).reshape(-1, columns)
    assert accessor["min"] == found.min(axis=0).tolist()
    assert accessor["max"] == found.max(axis=0).tolist()
    return found


def test_obj_comes_back(tmp_path: Path) -> None:
    files = write_mesh(tmp_path / "a.mesh", square())
    names = ["a.mesh.obj", "a.mesh.mtl", "a.mesh.png", "a.mesh.glb"]
    assert [file.name for file in files] == names
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    mesh = read_obj(files[0])
    assert np.array_equal(mesh.vertices, CORNERS)
    assert np.array_equal(mesh.faces, FACES)
    assert np.array_equal(mesh.uv, UV)
    assert np.array_equal(mesh.uv_faces, FACES)
    assert "mtllib a.mesh.mtl" in files[0].read_text()
    assert "map_Kd a.mesh.png" in files[1].read_text()
    check_corners(mesh.vertices, mesh.uv, np.asarray(Image.open(files[2])), v_up=True)


def test_glb_follows_the_rules(tmp_path: Path) -> None:
    path = write_mesh(tmp_path / "a", square())[-1]
    scene, binary = open_glb(path)
    primitive = scene["meshes"][0]["primitives"][0]
    found = {name: array(scene, binary, at) for name, at in primitive["attributes"].items()}
    assert np.allclose(found["NORMAL"], [0, 0, 1]), "it faces the viewer"
    indices = array(scene, binary, primitive["indices"])
    assert np.array_equal(found["POSITION"][indices.reshape(-1, 3)], CORNERS[FACES])
    (image,) = scene["images"]
    view = scene["bufferViews"][image["bufferView"]]
    start = view["byteOffset"]
    pixels = np.asarray(Image.open(io.BytesIO(binary[start : start + view["byteLength"]])))
    check_corners(found["POSITION"], found["TEXCOORD_0"], pixels, v_up=False)
    assert scene["buffers"] == [{"byteLength": len(binary)}]


def test_corners_that_share_a_vertex_but_not_a_place(tmp_path: Path) -> None:
    """A seam: each face has places of its own."""
    uv = np.float32([[0.1, 0.1], [0.2, 0.1], [0.2, 0.2], [0.5, 0.5], [0.7, 0.6], [0.5, 0.7]])
    mesh = Mesh(CORNERS, FACES, texture=texture(), uv=uv, uv_faces=[[0, 1, 2], [3, 4, 5]])
    obj, *_, glb = write_mesh(tmp_path / "a", mesh)
    assert np.array_equal(read_obj(obj).uv_faces, mesh.uv_faces)
    scene, binary = open_glb(glb)
    primitive = scene["meshes"][0]["primitives"][0]
    indices = array(scene, binary, primitive["indices"]).reshape(-1, 3)
    positions = array(scene, binary, primitive["attributes"]["POSITION"])
    places = array(scene, binary, primitive["attributes"]["TEXCOORD_0"])
    assert len(positions) == 6
    assert np.array_equal(positions[indices], CORNERS[FACES])
    flipped = uv * [1, -1] + [0, 1]
    assert np.allclose(places[indices], flipped[np.array(mesh.uv_faces)])


def test_colours_of_vertices(tmp_path: Path) -> None:
    colours = np.float32([[0.1, 0.2, 0.3], [0.5, 0.5, 0.5], [1, 0, 0], [0, 2, 0]])
    obj, glb = write_mesh(tmp_path / "a", Mesh(CORNERS, FACES, colours=colours))
    scene, binary = open_glb(glb)
    attributes = scene["meshes"][0]["primitives"][0]["attributes"]
    assert np.allclose(array(scene, binary, attributes["COLOR_0"]), np.clip(colours, 0, 1))
    assert "images" not in scene
    lines = [line.split() for line in obj.read_text().splitlines() if line.startswith("v ")]
    codes = np.array([[float(word) for word in line[4:]] for line in lines])
    assert np.allclose(codes, linear_to_srgb(np.clip(colours, 0, 1)), atol=1e-6)
    assert np.array_equal(read_obj(obj).vertices, CORNERS)


@pytest.mark.parametrize("suffix", [".obj", ".glb"])
def test_trimesh_sees_the_texture_the_right_way_up(tmp_path: Path, suffix: str) -> None:
    trimesh = pytest.importorskip("trimesh")
    write_mesh(tmp_path / "a.mesh", square())
    mesh = trimesh.load(tmp_path / f"a.mesh{suffix}", force="mesh", process=False)
    material = mesh.visual.material
    image = getattr(material, "baseColorTexture", None) or getattr(material, "image", None)
    # Whatever the file, trimesh's own v points up.
    check_corners(mesh.vertices, mesh.visual.uv, np.asarray(image), v_up=True)
    assert len(mesh.faces) == 2
    assert np.allclose(mesh.face_normals, [0, 0, 1])


def test_trimesh_sees_the_colours(tmp_path: Path) -> None:
    trimesh = pytest.importorskip("trimesh")
    colours = np.float32([[0.1, 0.2, 0.3], [0.5, 0.5, 0.5], [1, 0, 0], [0, 1, 0]])
    write_mesh(tmp_path / "a", Mesh(CORNERS, FACES, colours=colours))
    mesh = trimesh.load(tmp_path / "a.obj", force="mesh", process=False)
    codes = linear_to_srgb(colours) * 255
    assert np.allclose(mesh.visual.vertex_colors[:, :3], codes, atol=1)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_pygltflib_reads_the_glb(tmp_path: Path) -> None:
    pygltflib = pytest.importorskip("pygltflib")
    write_mesh(tmp_path / "a", square())
    scene = pygltflib.GLTF2().load(str(tmp_path / "a.glb"))
    assert scene.asset.version == "2.0"
    assert scene.accessors[0].max == [1, 1, 0]
    assert len(scene.binary_blob()) == scene.buffers[0].byteLength
    assert scene.images[0].mimeType == "image/png"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"vertices": CORNERS[:, :2]}, r"vertices have the shape \(4, 2\)"),
        ({"vertices": CORNERS * np.nan}, "vertices hold numbers that are not finite"),
        ({"vertices": CORNERS[:0]}, "vertices have the shape"),
        ({"faces": FACES.astype(float)}, "faces are float64"),
        ({"faces": FACES + 1}, "faces go from 1 to 4"),
        ({"faces": FACES - 1}, "faces go from -1 to 2"),
        ({"faces": FACES[:0]}, "faces are int64"),
        ({"colours": CORNERS[:2]}, "2 colours but 4 vertices"),
        ({"uv": None}, "a texture but no uv"),
        ({"uv": UV[:3]}, "3 uv but 4 vertices"),
        ({"uv": UV[:3], "uv_faces": FACES}, "uv_faces go from 0 to 3"),
        ({"uv_faces": FACES[:1]}, "1 uv_faces but 2 faces"),
        ({"texture": texture()[..., 0]}, r"shape is \(8, 8\)"),
        ({"texture": texture() + np.inf}, "not finite"),
    ],
)
def test_what_does_not_fit_together_is_told(
    tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    mesh = square()
    for name, value in change.items():
        setattr(mesh, name, value)
    with pytest.raises(PluginError, match=words) as caught:
        write_mesh(tmp_path / "a", mesh)
    assert caught.value.hint
    assert not list(tmp_path.iterdir())


def test_no_mesh_at_all(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="it is a list, not a Mesh"):
        write_mesh(tmp_path / "a", [CORNERS, FACES])  # type: ignore[arg-type]  # on purpose


def test_normals_point_out_and_lonely_vertices_to_the_viewer() -> None:
    """Two triangles over an edge; the larger one counts more. Nobody uses the last vertex."""
    vertices = np.float32([[0, 0, 0], [0, 1, 0], [2, 0, 0], [0, 0, -1], [7, 7, 7]])
    faces = np.array([[0, 2, 1], [0, 1, 3]])
    normals = vertex_normals(vertices, faces)
    assert np.allclose(normals[2], (0, 0, 1))
    assert np.allclose(normals[3], (-1, 0, 0))
    assert np.allclose(normals[:2], np.array([-1, 0, 2]) / 5**0.5)
    assert np.allclose(normals[4], (0, 0, 1))
