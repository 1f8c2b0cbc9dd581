"""Reads the OBJ files that the house writes, for tests: triangles, each corner a vertex and perhaps
a place in the texture."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np

from intrinsic_cli.api.outputs import Mesh


def read_obj(path: Path) -> Mesh:
    """Vertices, faces and, where there are any, uv; indices from 0."""
    lines = defaultdict(list)
    for line in path.read_text(encoding="utf-8").splitlines():
        word, *rest = line.split()
        lines[word].append(rest)
    vertices = np.array([row[:3] for row in lines["v"]], np.float32)
    corners = np.array([[corner.split("/") for corner in row] for row in lines["f"]], int) - 1
    mesh = Mesh(vertices, corners[..., 0])
    if lines["vt"]:
        mesh.uv = np.array(lines["vt"], np.float32)
        mesh.uv_faces = corners[..., 1]
    return mesh
