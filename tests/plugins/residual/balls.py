"""Balls instead of heads: a ball's normals, and shards of them."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import torch

from iid_residual.faces.template import TEMPLATE
from iid_residual.harmonics import from_house, shade, vectors_from_house
from intrinsic_cli.kit.files.opencv import cv2

SIDE = 64
#: Radiance harmonics of a lamp from the right and above, and of even light.
LAMP = [0.9, 0.7, 1.0, 0.9, 0.5, 0.5, 0.2, 0.7, 0.1]
EVEN = [1.0, 0, 0, 0, 0, 0, 0, 0, 0]


def ball() -> tuple[np.ndarray, np.ndarray]:
    """Normals of a ball [H,W,3] and where it is."""
    y, x = (np.mgrid[:SIDE, :SIDE] + 0.5) / (SIDE / 2) - 1
    radius = 0.8
    z = np.sqrt(np.maximum(radius**2 - x**2 - y**2, 0)) / radius
    inside = x**2 + y**2 < radius**2
    normals = np.stack([x / radius, -y / radius, z], axis=2) * inside[..., None]
    normals[~inside] = (0, 0, 1)
    return normals.astype(np.float32), inside


def _webp(image: np.ndarray) -> bytes:
    codes = np.clip(image * 255 + 0.5, 0, 255).astype(np.uint8)
    return cv2.imencode(".webp", codes[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, 101])[1].tobytes()


def _members(seed: int) -> dict[str, bytes]:
    normals, inside = ball()
    rng = np.random.default_rng(seed)
    files = {}
    for j in range(3):
        paint = np.full((SIDE, SIDE, 3), rng.uniform(0.2, 0.6, 3))
        files[f"albedo{j}.webp"] = _webp(paint ** (1 / 2.2))
    plane = torch.from_numpy(normals).permute(2, 0, 1)[None]
    lights = []
    for k, nine in enumerate((LAMP, EVEN, LAMP)):
        light = torch.tensor([nine * 3])
        made = shade(vectors_from_house(plane), from_house(light))[0].permute(1, 2, 0).numpy()
        files[f"shading{k}.webp"] = _webp((np.clip(made, 0, 4) / 4) ** (1 / 2.4))
        lights.append({"type": "env", "scale": 1, "sh9": [[value] * 3 for value in nine]})
    files["normal.webp"] = _webp((normals + 1) / 2)
    files["ids.png"] = cv2.imencode(".png", inside.astype(np.uint8))[1].tobytes()
    meta = {"category": "face", "n_albedo": 3, "n_shading": 3, "specular": [], "lights": lights}
    files["meta.json"] = json.dumps(meta).encode()
    return files


def write_heads(root: Path) -> Path:
    """Shards of both splits, a scene that is no head among them, with their ``faces.json``."""
    for split, count in (("train", 3), ("val", 2)):
        (root / split).mkdir()
        points = {}
        with tarfile.open(root / split / "a.tar", "w") as archive:
            for seed in range(count):
                key = f"face-{seed:07d}" if seed != 1 or split == "val" else "room-0000001"
                points[key] = (0.1 + 0.8 * np.asarray(TEMPLATE)).tolist()
                _add(archive, key, seed)
        (root / split / "faces.json").write_text(json.dumps(points))
    return root


def _add(archive: tarfile.TarFile, key: str, seed: int) -> None:
    for name, data in _members(seed).items():
        info = tarfile.TarInfo(f"{key}.{name}")
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
