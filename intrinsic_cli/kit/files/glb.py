"""GLB: a glTF 2.0 scene of one mesh in a single file (Khronos, glTF 2.0, section 4). Here v points
down from the first row of the texture."""

from __future__ import annotations

import io
import json
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from intrinsic_cli.api.outputs import Mesh
from intrinsic_cli.kit.files.animations import texture_codes

_MAGIC, _VERSION = 0x46546C67, 2
_HEAD = 12  # bytes before the chunks
_JSON, _BINARY = 0x4E4F534A, 0x004E4942
_FLOAT, _UNSIGNED = 5126, 5125  # component types
_VERTICES, _INDICES = 34962, 34963  # what a buffer view is for
_TYPES = {1: "SCALAR", 2: "VEC2", 3: "VEC3"}


@dataclass(slots=True)
class _Buffer:
    """The binary chunk as it grows, with the views and accessors into it."""

    data: bytearray = field(default_factory=bytearray)
    views: list[dict[str, Any]] = field(default_factory=list)
    accessors: list[dict[str, Any]] = field(default_factory=list)

    def add_bytes(self, data: bytes, **more: Any) -> int:
        """A new view, which begins at a multiple of four bytes; its number."""
        view = {"buffer": 0, "byteOffset": len(self.data), "byteLength": len(data), **more}
        self.views.append(view)
        self.data += data + b"\0" * (-len(data) % 4)
        return len(self.views) - 1

    def add_array(self, numbers: NDArray[Any], target: int) -> int:
        """A new accessor of float32 [N,C] or uint32 [N,1]; its number."""
        real = numbers.dtype.kind == "f"
        stored = np.ascontiguousarray(numbers, "<f4" if real else "<u4")
        accessor = {
            "bufferView": self.add_bytes(stored.tobytes(), target=target),
            "componentType": _FLOAT if real else _UNSIGNED,
            "count": len(stored),
            "type": _TYPES[stored.shape[1]],
            "min": stored.min(axis=0).tolist(),
            "max": stored.max(axis=0).tolist(),
        }
        self.accessors.append(accessor)
        return len(self.accessors) - 1


def write_glb(path: Path, mesh: Mesh) -> None:
    """Write a checked ``mesh``. The texture is embedded as PNG."""
    buffer = _Buffer()
    scene = _scene(mesh, buffer)
    words = json.dumps(scene, separators=(",", ":")).encode()
    chunks = _chunk(_JSON, words, b" ") + _chunk(_BINARY, bytes(buffer.data), b"\0")
    head = struct.pack("<III", _MAGIC, _VERSION, _HEAD + len(chunks))
    path.write_bytes(head + chunks)


def _chunk(kind: int, data: bytes, filler: bytes) -> bytes:
    """A chunk, filled up to a multiple of four bytes."""
    data += filler * (-len(data) % 4)
    return struct.pack("<II", len(data), kind) + data


def _scene(mesh: Mesh, buffer: _Buffer) -> dict[str, Any]:
    """The JSON chunk, with the arrays of the mesh put into ``buffer``."""
    primitive = {**_geometry(mesh, buffer), "material": 0}
    material = _material(mesh, buffer)
    return {
        "asset": {"version": "2.0", "generator": "iid"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [primitive]}],
        **material,
        "buffers": [{"byteLength": len(buffer.data)}],
        "bufferViews": buffer.views,
        "accessors": buffer.accessors,
    }


def _geometry(mesh: Mesh, buffer: _Buffer) -> dict[str, Any]:
    """Accessors of the corners in use, and of the triangles between them."""
    corners, faces = _join_indices(mesh)
    rows = corners[:, 0]
    normals = vertex_normals(mesh.vertices, mesh.faces)
    attributes = {
        "POSITION": buffer.add_array(mesh.vertices[rows], _VERTICES),
        "NORMAL": buffer.add_array(normals[rows], _VERTICES),
    }
    if mesh.colours is not None:  # linear, as glTF wants them
        colours = np.clip(mesh.colours[rows], 0, 1)
        attributes["COLOR_0"] = buffer.add_array(colours, _VERTICES)
    if mesh.uv is not None:
        uv = mesh.uv[corners[:, 1]]
        uv[:, 1] = 1 - uv[:, 1]  # v points down in glTF
        attributes["TEXCOORD_0"] = buffer.add_array(uv, _VERTICES)
    indices = buffer.add_array(faces.reshape(-1, 1), _INDICES)
    return {"attributes": attributes, "indices": indices}


def _join_indices(mesh: Mesh) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """glTF has one index for a corner's vertex and uv: each pair of them in use [N,2], and the
    faces [F,3] into these."""
    if mesh.uv is None:
        every = np.arange(len(mesh.vertices))
        corners = np.stack([every, every], axis=1)
        return corners, mesh.faces.astype(np.uint32)
    vertex = mesh.faces.ravel()
    place = mesh.uv_faces.ravel()
    pairs = np.stack([vertex, place], axis=1)
    corners, faces = np.unique(pairs, axis=0, return_inverse=True)
    triples = faces.reshape(-1, 3)
    return corners, triples.astype(np.uint32)


def vertex_normals(vertices: NDArray[np.float32], faces: NDArray[np.int64]) -> NDArray[np.float32]:
    """Unit normals [V,3], the mean of the faces around by their area; z where a vertex has none."""
    corners = vertices[faces].astype(np.float64)
    one_side = corners[:, 1] - corners[:, 0]
    other_side = corners[:, 2] - corners[:, 0]
    across = np.cross(one_side, other_side)
    sums = np.zeros((len(vertices), 3))
    for corner in range(3):
        np.add.at(sums, faces[:, corner], across)
    length = np.linalg.norm(sums, axis=1, keepdims=True)
    unit = sums / np.maximum(length, 1e-300)
    lonely = length[:, 0] == 0
    towards_viewer = (0.0, 0.0, 1.0)
    unit[lonely] = towards_viewer
    return np.asarray(unit, np.float32)


def _material(mesh: Mesh, buffer: _Buffer) -> dict[str, Any]:
    """A rough surface seen from both sides, with the texture where there is one."""
    surface: dict[str, Any] = {"metallicFactor": 0, "roughnessFactor": 1}
    material = {"name": "surface", "doubleSided": True, "pbrMetallicRoughness": surface}
    if mesh.texture is None:
        return {"materials": [material]}
    file = io.BytesIO()
    Image.fromarray(texture_codes(mesh.texture)).save(file, "PNG", compress_level=4)
    view = buffer.add_bytes(file.getvalue())
    surface["baseColorTexture"] = {"index": 0}
    return {
        "materials": [material],
        "textures": [{"source": 0, "sampler": 0}],
        "samplers": [{"wrapS": 33071, "wrapT": 33071}],  # the border's colour beyond the border
        "images": [{"bufferView": view, "mimeType": "image/png"}],
    }
