"""The text of OBJ and MTL files. Their numbers count from 1, and v points up, as in
:class:`~intrinsic_cli.api.outputs.Mesh`."""

from __future__ import annotations

from collections.abc import Iterator

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
