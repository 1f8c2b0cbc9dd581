"""Triangle meshes on disk: OBJ with MTL and texture, and GLB with all in one; OBJ read again.

In OBJ and in :class:`~intrinsic_cli.api.outputs.Mesh` v points up from the texture's last row; in
glTF it points down from the first.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.api import DataError, PluginError
from intrinsic_cli.api.outputs import Mesh
from intrinsic_cli.kit.files.animations import texture_codes
from intrinsic_cli.kit.files.atomic import replacing, write_text
from intrinsic_cli.kit.files.glb import write_glb
from intrinsic_cli.kit.files.photo import write_png
from intrinsic_cli.kit.files.read_bytes import read_bytes
from intrinsic_cli.kit.light.colour import linear_to_srgb

_MATERIAL = "surface"


def write_mesh(place: Path, mesh: Mesh) -> list[Path]:
    """Write ``<place>.obj``, ``.glb`` and, where it has a texture, ``.mtl`` and ``.png``.
    PluginError where the arrays of the mesh do not fit together."""
    mesh = checked(mesh)
    obj, mtl, png, glb = (
        place.with_name(f"{place.name}{suffix}") for suffix in (".obj", ".mtl", ".png", ".glb")
    )
    textured = mesh.texture is not None
    if textured:
        write_png(png, texture_codes(mesh.texture))
        write_text(mtl, _material(png.name))
    # A material without texture would hide the colours of vertices from some programs.
    write_text(obj, _obj(mesh, mtl.name if textured else ""))
    with replacing(glb) as temporary:
        write_glb(temporary, mesh)
    return [obj, mtl, png, glb] if textured else [obj, glb]


def checked(mesh: Mesh) -> Mesh:
    """The mesh as arrays (float32, int64). PluginError where they do not fit together."""
    if not isinstance(mesh, Mesh):
        raise PluginError(f"it is a {type(mesh).__name__}, not a Mesh", "give api.outputs.Mesh")
    vertices = _table(mesh.vertices, 3, "vertices")
    faces = _indices(mesh.faces, len(vertices), "faces", "vertices")
    made = Mesh(vertices, faces)
    if mesh.colours is not None:
        made.colours = _table(mesh.colours, 3, "colours")
        _same_length(made.colours, vertices, "colours", "vertices")
    if mesh.texture is not None and mesh.uv is None:
        raise PluginError("it has a texture but no uv", "give uv [U,2] of the texture")
    if mesh.uv is None:
        return made
    made.uv = _table(mesh.uv, 2, "uv")
    made.texture = mesh.texture
    made.uv_faces = faces
    if mesh.uv_faces is not None:
        made.uv_faces = _indices(mesh.uv_faces, len(made.uv), "uv_faces", "uv")
        _same_length(made.uv_faces, faces, "uv_faces", "faces")
    elif len(made.uv) != len(vertices):
        hint = "give uv_faces, or a uv for each vertex"
        raise PluginError(f"it has {len(vertices)} vertices but {len(made.uv)} uv", hint)
    return made


def _table(values: Any, columns: int, what: str) -> NDArray[np.float32]:
    """Finite numbers [N,columns]."""
    numbers = np.asarray(values, np.float32)
    if numbers.ndim != 2 or numbers.shape[1] != columns or not len(numbers):
        hint = f"{what} are [N,{columns}], N at least 1"
        raise PluginError(f"its {what} have the shape {numbers.shape}", hint)
    if not np.isfinite(numbers).all():
        raise PluginError(f"its {what} hold numbers that are not finite", "mend the method")
    return numbers


def _indices(values: Any, count: int, what: str, into: str) -> NDArray[np.int64]:
    """Whole numbers [F,3] from 0 to below ``count``."""
    numbers = np.asarray(values)
    whole = numbers.dtype.kind in "iu"
    if not whole or numbers.ndim != 2 or numbers.shape[1] != 3 or not len(numbers):
        hint = f"{what} are whole numbers [F,3], F at least 1"
        raise PluginError(f"its {what} are {numbers.dtype.name} {numbers.shape}", hint)
    if numbers.min() < 0 or numbers.max() >= count:
        span = f"{numbers.min()} to {numbers.max()}"
        raise PluginError(f"its {what} go from {span}", f"there are {count} {into}")
    return numbers.astype(np.int64)


def _same_length(one: NDArray[Any], other: NDArray[Any], name: str, other_name: str) -> None:
    if len(one) != len(other):
        counts = f"{len(one)} {name} but {len(other)} {other_name}"
        raise PluginError(f"it has {counts}", "there must be as many")


def _material(texture: str) -> str:
    """One that is lit by what the viewer chooses, without highlights."""
    lines = [f"newmtl {_MATERIAL}", "Ka 1 1 1", "Kd 1 1 1", "Ks 0 0 0", "illum 1"]
    return "\n".join([*lines, f"map_Kd {texture}", ""])


def _obj(mesh: Mesh, material: str) -> str:
    """Numbers of OBJ count from 1. Colours behind the vertices are sRGB, as most programs take
    them."""
    lines = [f"mtllib {material}", f"usemtl {_MATERIAL}"] if material else []
    vertices = mesh.vertices
    if mesh.colours is not None:
        vertices = np.hstack([vertices, linear_to_srgb(np.clip(mesh.colours, 0, 1))])
    lines += [_line("v", row) for row in vertices.tolist()]
    faces = mesh.faces + 1
    if mesh.uv is None:
        lines += [f"f {a} {b} {c}" for a, b, c in faces.tolist()]
        return "\n".join([*lines, ""])
    lines += [_line("vt", row) for row in mesh.uv.tolist()]
    corners = np.hstack([faces, mesh.uv_faces + 1])
    for a, b, c, ta, tb, tc in corners.tolist():
        lines.append(f"f {a}/{ta} {b}/{tb} {c}/{tc}")
    return "\n".join([*lines, ""])


def _line(word: str, numbers: list[float]) -> str:
    return " ".join([word, *(f"{number:.7g}" for number in numbers)])


def read_mesh(path: Path) -> Mesh:
    """Vertices, faces and uv of an OBJ; faces of more than three corners are cut into triangles.
    DataError where it holds no mesh."""
    try:
        return _parse(read_bytes(path).decode("utf-8", "replace"))
    except (ValueError, IndexError) as error:
        raise DataError(f"{path} is no OBJ that iid can read", "export it again") from error
    except DataError as error:
        raise DataError(f"{path}: {error.message}", error.hint) from error


def _parse(text: str) -> Mesh:
    vertices: list[list[float]] = []
    uv: list[list[float]] = []
    faces: list[list[int]] = []
    uv_faces: list[list[int]] = []
    for line in text.splitlines():
        word, *rest = line.split() or [""]
        if word == "v":
            vertices.append([float(number) for number in rest[:3]])
        elif word == "vt":
            uv.append([float(number) for number in rest[:2]])
        elif word == "f":
            corners = [corner.split("/") for corner in rest]
            faces += _fan([_index(corner[0], len(vertices)) for corner in corners])
            if all(len(corner) > 1 and corner[1] for corner in corners):
                uv_faces += _fan([_index(corner[1], len(uv)) for corner in corners])
    mesh = Mesh(vertices, faces)
    if uv and len(uv_faces) == len(faces):
        mesh.uv, mesh.uv_faces = uv, uv_faces
    try:
        return checked(mesh)
    except PluginError as error:
        raise DataError(error.message, error.hint) from error


def _index(text: str, count: int) -> int:
    """From 1, or backwards from -1 → from 0."""
    number = int(text)
    return number + count if number < 0 else number - 1


def _fan(corners: list[int]) -> list[list[int]]:
    return [[corners[0], corners[at], corners[at + 1]] for at in range(1, len(corners) - 1)]
