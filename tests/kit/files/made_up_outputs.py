"""One made-up output of every kind, and the files made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from intrinsic_cli.api.outputs import Mesh, kind_of
from intrinsic_cli.kit.files.outputs import Written, write_outputs

RNG = np.random.default_rng(0)
SIZE = (12, 16)
CORNERS = np.float32([[-1, -1, 0], [1, -1, 0], [1, 1, 0]])
MESH = Mesh(CORNERS, [[0, 1, 2]], texture=np.full((4, 4, 3), 0.5), uv=(CORNERS[:, :2] + 1) / 2)


def layer(name: str) -> Any:
    kind = kind_of(name)
    values = RNG.random((*SIZE, kind.channels[-1])).astype(np.float32)
    if kind.low != 0:
        values = values * 2 - 1
    if kind.name == "vector":
        values /= np.linalg.norm(values, axis=2, keepdims=True)
    return values


VALUES: dict[str, Any] = {
    **{name: layer(name) for name in ("albedo", "shading", "residual", "normals", "mask", "depth")},
    "mesh": [MESH, Mesh(CORNERS, [[0, 1, 2]])],
    "light": {"coefficients": np.ones((2, 3)), "angle": np.float32(0.5), "name": "Sonne ☀"},
    "texture": [np.full((3, 5, 3), 0.5)],
    "turntable": [np.linspace(0, 1, 4 * 6 * 7 * 3).reshape(4, 6, 7, 3)],
}


def write_all(base: Path, form: str = "png") -> dict[str, Written]:
    return write_outputs(base, {name: (kind_of(name), VALUES[name]) for name in VALUES}, form)
