"""The text of OBJ and MTL files. Their numbers count from 1, and v points up, as in
:class:`~intrinsic_cli.api.outputs.Mesh`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, zip_longest

import numpy as np

from intrinsic_cli.api.outputs import Mesh
from intrinsic_cli.kit.light.colour import linear_to_srgb

_MATERIAL = "surface"


def mtl_text(texture: str) -> str:
    """A material that is lit by what the viewer chooses, without highlights, with the texture in
    the file of that name."""
    lines = [f"newmtl {_MATERIAL}", "Ka 1 1 1", "Kd 1 1 1", "Ks 0 0 0", "illum 1"]
    return "\n".join([*lines, f"map_Kd {texture}", ""])


def obj_text(mesh: Mesh, material: str = "") -> str:
    """A checked ``mesh``; ``material`` is the name of its MTL file."""
    lines = [f"mtllib {material}", f"usemtl {_MATERIAL}"] if material else []
    lines += _vertex_lines(mesh)
    lines += _uv_lines(mesh)
    lines += _face_lines(mesh)
    return "\n".join([*lines, ""])


def _vertex_lines(mesh: Mesh) -> Iterator[str]:
    """Colours behind the vertices are sRGB, as most programs take them."""
    columns = mesh.vertices
    if mesh.colours is not None:
        codes = linear_to_srgb(np.clip(mesh.colours, 0, 1))
        columns = np.hstack([columns, codes])
    for row in columns.tolist():
        yield _line("v", row)


def _uv_lines(mesh: Mesh) -> Iterator[str]:
    if mesh.uv is not None:
        for row in mesh.uv.tolist():
            yield _line("vt", row)


def _face_lines(mesh: Mesh) -> Iterator[str]:
    faces = (mesh.faces + 1).tolist()
    if mesh.uv is None:
        for a, b, c in faces:
            yield f"f {a} {b} {c}"
        return
    places = (mesh.uv_faces + 1).tolist()
    for (a, b, c), (u, v, w) in zip(faces, places, strict=True):
        yield f"f {a}/{u} {b}/{v} {c}/{w}"


def _line(word: str, numbers: list[float]) -> str:
    return " ".join([word, *(f"{number:.7g}" for number in numbers)])


@dataclass(slots=True)
class _Lists:
    """What an OBJ holds, line by line; indices from 0."""

    vertices: list[list[float]] = field(default_factory=list)
    uv: list[list[float]] = field(default_factory=list)
    faces: list[list[int]] = field(default_factory=list)
    uv_faces: list[list[int]] = field(default_factory=list)

    def take(self, word: str, rest: list[str]) -> None:
        """One line; what is neither vertex, uv nor face is passed over."""
        if word == "v":
            self.vertices.append([float(number) for number in rest[:3]])
        elif word == "vt":
            self.uv.append([float(number) for number in rest[:2]])
        elif word == "f":
            self.take_face([corner.split("/") for corner in rest])

    def take_face(self, corners: list[list[str]]) -> None:
        """A face of any number of corners: vertex, perhaps uv, perhaps normal."""
        vertices, *others = zip_longest(*corners, fillvalue="")
        self.faces += _fan(vertices, len(self.vertices))
        if not others:
            return
        places = others[0]
        if all(places):
            self.uv_faces += _fan(places, len(self.uv))


def parse_obj(text: str) -> Mesh:
    """Vertices, triangles and uv, not yet checked. ValueError, IndexError where a line makes no
    sense."""
    lists = _Lists()
    for line in text.splitlines():
        words = line.split()
        if words:
            lists.take(words[0], words[1:])
    mesh = Mesh(lists.vertices, lists.faces)
    if lists.uv and len(lists.uv_faces) == len(lists.faces):
        mesh.uv, mesh.uv_faces = lists.uv, lists.uv_faces
    return mesh


def _fan(corners: Sequence[str], count: int) -> list[list[int]]:
    """Triangles around the first corner; ``count`` is how many there are to choose from."""
    first, *others = [_index(corner, count) for corner in corners]
    return [[first, one, next_one] for one, next_one in pairwise(others)]


def _index(text: str, count: int) -> int:
    """From 1, or backwards from -1 → from 0."""
    number = int(text)
    return number + count if number < 0 else number - 1
