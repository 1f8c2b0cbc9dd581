"""Little pictures, and ``decompose`` with the method that needs no weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from light_method import REGISTRY
from PIL import Image
from same_pictures import content

from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.registry import Registry
from intrinsic_cli.requests import DecomposeReport, DecomposeRequest
from intrinsic_cli.runs.decompose.manifest import NAME
from intrinsic_cli.runs.decompose.run import decompose

RNG = np.random.default_rng(0)
DEEP = cv2.GaussianBlur(RNG.integers(0, 65536, (40, 52, 4)).astype(np.uint16), (0, 0), 2)
FLAT = (DEEP >> 8).astype(np.uint8)


def go(*inputs: Path, out: Path, registry: Registry = REGISTRY, **more: Any) -> DecomposeReport:
    request = DecomposeRequest(inputs, **{"method": "power", "out": out, "device": "cpu", **more})
    return decompose(request, registry=registry)


def statuses(report: DecomposeReport) -> dict[str, int]:
    return {status: report.count(status) for status in ("done", "skipped", "failed")}


def everything(folder: Path) -> dict[str, bytes]:
    """What all files hold but the manifest, which tells when."""
    return {
        str(path.relative_to(folder)): content(path)
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(NAME)
    }


def forget(out: Path) -> None:
    """Without the manifest the sidecars are asked."""
    for path in out.glob(f"{NAME}*"):
        path.unlink()


class Notes:
    """Progress that keeps what it is told."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def start(self, label: str, total: int | None) -> None: ...
    def advance(self, by: int = 1, facts: Any = None) -> None: ...
    def finish(self) -> None: ...
    def note(self, text: str) -> None:
        self.texts.append(text)


def tell(*inputs: Path, out: Path, **more: Any) -> tuple[DecomposeReport, str]:
    """The report, and all notes."""
    notes = Notes()
    given = {"method": "power", "out": out, "device": "cpu", **more}
    registry = given.pop("registry", REGISTRY)
    return decompose(DecomposeRequest(inputs, **given), notes, registry), "\n".join(notes.texts)


def photo(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(FLAT[..., :3]).save(path)
    return path


def facts(out: Path) -> dict[str, Any]:
    """What the sidecar of ``a`` tells."""
    return dict(json.loads((out / "a.iid.json").read_text()))
