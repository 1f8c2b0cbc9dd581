"""Triangle meshes on disk: OBJ with MTL and texture, and GLB with all in one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.api import PluginError
from intrinsic_cli.api.outputs import Mesh
from intrinsic_cli.kit.files.animations import texture_codes
from intrinsic_cli.kit.files.atomic import replacing, write_text
from intrinsic_cli.kit.files.glb import write_glb
from intrinsic_cli.kit.files.obj import mtl_text, obj_text
from intrinsic_cli.kit.files.photo import write_png


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
        write_text(mtl, mtl_text(png.name))
    # A material without texture would hide the colours of vertices from some programs.
    write_text(obj, obj_text(mesh, mtl.name if textured else ""))
    with replacing(glb) as temporary:
        write_glb(temporary, mesh)
    return [obj, mtl, png, glb] if textured else [obj, glb]


def checked(mesh: Mesh) -> Mesh:
    """The mesh as arrays (float32, int64), with ``uv_faces`` where it has ``uv``. PluginError where
    they do not fit together."""
    if not isinstance(mesh, Mesh):
        raise PluginError(f"it is a {type(mesh).__name__}, not a Mesh", "give api.outputs.Mesh")
    vertices = _table(mesh.vertices, 3, "vertices")
    faces = _indices(mesh.faces, len(vertices), "faces", "vertices")
    made = replace(mesh, vertices=vertices, faces=faces)
    if mesh.colours is not None:
        made.colours = _table(mesh.colours, 3, "colours")
        _same_length(made.colours, vertices, "colours", "vertices")
    if mesh.uv is not None:
        made.uv = _table(mesh.uv, 2, "uv")
        made.uv_faces = _uv_faces(made)
    elif mesh.texture is not None:
        raise PluginError("it has a texture but no uv", "give uv [U,2] of the texture")
    return made


def _uv_faces(mesh: Mesh) -> NDArray[np.int64]:
    """The corners' places in ``uv``: as many as faces, by default the faces themselves."""
    if mesh.uv_faces is None:
        _same_length(mesh.uv, mesh.vertices, "uv", "vertices, and no uv_faces")
        return np.asarray(mesh.faces)
    uv_faces = _indices(mesh.uv_faces, len(mesh.uv), "uv_faces", "uv")
    _same_length(uv_faces, mesh.faces, "uv_faces", "faces")
    return uv_faces


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
    triples = numbers.ndim == 2 and numbers.shape[1] == 3 and len(numbers) > 0
    if not whole or not triples:
        hint = f"{what} are whole numbers [F,3], F at least 1"
        raise PluginError(f"its {what} are {numbers.dtype.name} {numbers.shape}", hint)
    least = int(numbers.min())
    greatest = int(numbers.max())
    if least < 0 or greatest >= count:
        hint = f"there are {count} {into}, counted from 0"
        raise PluginError(f"its {what} go from {least} to {greatest}", hint)
    return numbers.astype(np.int64)


def _same_length(one: NDArray[Any], other: NDArray[Any], name: str, other_name: str) -> None:
    if len(one) != len(other):
        counts = f"{len(one)} {name} but {len(other)} {other_name}"
        raise PluginError(f"it has {counts}", "there must be as many")
