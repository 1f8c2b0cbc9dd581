"""Does a method keep the contract while it decomposes? Half of :mod:`~intrinsic_cli.testing`.

Little photos go through ``iid decompose`` itself, and what lies on disk afterwards is looked at:
every promised output, by its kind."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow

from intrinsic_cli.api import (
    Decomposer,
    Frame,
    Kind,
    Method,
    MethodSpec,
    Region,
    Runtime,
    Source,
    Trainer,
    Variant,
)
from intrinsic_cli.api.outputs import SUMMANDS
from intrinsic_cli.kit.files.layers import rebuild
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.photo import read_photo
from intrinsic_cli.registry import Registry, open_method
from intrinsic_cli.requests import DecomposeRequest, InputReport
from intrinsic_cli.runs.decompose import decompose
from intrinsic_cli.testing_source import ODD, expect, scene

REBUILDS = 1e-3  # RMSE to which albedo · shading (+ residual), or the sum, must give the photo back
SLACK = 1e-3  # by which a number may be out of its kind's range
FORM = "npz"  # holds layers as they are


def check_decomposing(
    spec: MethodSpec, variant: Variant, weights: Path | None, folder: Path
) -> None:
    """Photos of odd sizes and kinds → the promised outputs on disk: whole, finite, the same every
    time. Where a method finds nothing to look at in them, it is shown a place."""
    photos = _write_photos(folder / "photos")
    runs = [
        _decompose(spec, variant, weights, photos, folder / name) for name in ("first", "again")
    ]
    for first, again in zip(*runs, strict=True):
        told = f"a {Path(first.input).stem} photo"
        for report in (first, again):
            expect(report.status == "done", f"{told} is decomposed: {report.error}")
        _check_same(first, again, told)
        _check_outputs(variant, first, told)


def _check_outputs(variant: Variant, report: InputReport, told: str) -> None:
    """Everything promised is there and of its kind, and what is there rebuilds the photo."""
    layers = {}
    for name in variant.layers:
        kind = variant.kind(name)
        files = [Path(file) for file in report.outputs[name]]
        if kind.is_layer:
            layers[name] = _read_layer(name, files[0], told)
            _check_layer(name, kind, layers[name], told)
        else:
            _check_files(name, kind, files, told)
    if _Checked.upsample != "resize":
        _check_rebuilt(Path(report.input), layers, told)


class LooksEverywhere(Method[Any, Any]):
    """The method that is checked, except that it looks at a place in photos in which it finds
    nothing. (What the photos show is known to nobody here.)"""

    def decomposer(self, state: Any, options: Any, runtime: Runtime) -> Decomposer:
        assert _Checked.spec is not None
        inner = open_method(_Checked.spec).decomposer(state, options, runtime)
        expect(isinstance(inner, Decomposer), "the method opens a Decomposer")
        expect(isinstance(inner.frame, Frame), "the decomposer has a Frame")
        _Checked.upsample = inner.frame.upsample
        return _Guided(inner)

    def trainer(self, stage: str, config: Any, source: Source, runtime: Runtime) -> Trainer:
        raise NotImplementedError


class _Checked:
    """The method under check, and how its decomposer wants layers upsampled."""

    spec: MethodSpec | None = None
    upsample: str = ""


class _Guided(Decomposer):
    """A decomposer that is shown two places where it finds none by itself."""

    def __init__(self, inner: Decomposer) -> None:
        self.inner = inner
        self.frame = inner.frame

    def __call__(self, photos: Any) -> Any:
        return self.inner(photos)

    def regions(self, photo: Any) -> Sequence[Region] | None:
        found = self.inner.regions(photo)
        if found is None or len(found):
            return found
        height, width = photo.shape[:2]
        side = min(height, width) * 0.7
        leaning = Region((1.0, 1.0, side, side), angle=20.0)
        upright = Region((width - side, height - side, side, side))
        return [leaning, upright]

    def turned(self, name: str, record: Mapping[str, Any], region: Region) -> Mapping[str, Any]:
        return self.inner.turned(name, record, region)


def _decompose(
    spec: MethodSpec,
    variant: Variant,
    weights: Path | None,
    photos: Sequence[Path],
    out: Path,
) -> tuple[InputReport, ...]:
    """``iid decompose`` of one variant, on the CPU."""
    _Checked.spec = spec
    guided = replace(spec, target=f"{__name__}:{LooksEverywhere.__name__}")
    request = DecomposeRequest(
        tuple(photos),
        spec.title(variant),
        out,
        format=FORM,
        device="cpu",
        precision="fp32",
        weights=str(weights or ""),
    )
    return decompose(request, registry=Registry({spec.name: guided})).inputs


def _write_photos(folder: Path) -> list[Path]:
    """The same little scene as files of several kinds."""
    folder.mkdir(parents=True)
    pixels = scene(np.random.default_rng(7), *ODD)["photo"].astype(np.float32)
    deep = (pixels / pixels.max() * 65535).astype(np.uint16)
    flat = (deep >> 8).astype(np.uint8)
    alpha = np.full((*ODD, 1), 255, np.uint8)
    alpha[:9] = 0
    kinds = {
        "colour": flat,
        "gray": flat[..., 0],
        "transparent": np.dstack([flat, alpha]),
        "16-bit": deep,
    }
    paths = []
    for name, codes in kinds.items():
        path = folder / f"{name}.png"
        path.write_bytes(cv2.imencode(".png", codes)[1].tobytes())
        paths.append(path)
    return paths


def _check_same(first: InputReport, again: InputReport, told: str) -> None:
    """Both runs wrote the same bytes."""
    for name, files in first.outputs.items():
        same = _contents(files) == _contents(again.outputs[name])
        expect(same, f"{told}: {name} is the same every time")


def _contents(files: Sequence[str]) -> list[bytes]:
    return [Path(file).read_bytes() for file in files]


def _read_layer(name: str, path: Path, told: str) -> Any:
    with np.load(path, allow_pickle=False) as arrays:
        layer = arrays[name]
    expect(layer.shape[:2] == ODD, f"{told}: {name} has the photo's size {ODD}")
    return layer


def _check_layer(name: str, kind: Kind, layer: Any, told: str) -> None:
    """Finite, in its kind's range, vectors of length 1."""
    finite = bool(np.isfinite(layer).all())
    expect(finite, f"{told}: {name} is finite")
    low = float(layer.min())
    high = float(layer.max())
    if kind.low == 0:
        expect(low >= -SLACK, f"{told}: {name} is nowhere negative (least {low:.2g})")
    if kind.high is not None:
        expect(high <= kind.high + SLACK, f"{told}: {name} is at most {kind.high}, not {high:.2g}")
    if kind.resize == "unit":
        length = np.linalg.norm(layer, axis=2)
        unit = bool(np.allclose(length, 1, atol=SLACK))
        expect(unit, f"{told}: {name} has vectors of length 1")


def _check_files(name: str, kind: Kind, files: Sequence[Path], told: str) -> None:
    """The files of an output that is no layer hold what their suffixes say."""
    needed = set(kind.suffixes)
    if kind.name == "mesh":
        needed.discard(".png")  # it need not have a texture
    if kind.name == "animation":
        needed.discard(".gif" if files[0].suffix == ".mp4" else ".mp4")
    lacking = needed - {file.suffix for file in files}
    expect(not lacking, f"{told}: {name} has files {', '.join(sorted(lacking))}")
    for file in files:
        is_whole = _LOOKS[file.suffix]
        expect(is_whole(file), f"{told}: {name} gives a whole {file.suffix}")


def _has_faces(path: Path) -> bool:
    """A mesh with triangles and finite points."""
    lines = path.read_text(encoding="utf-8").splitlines()
    points: list[float] = []
    for line in lines:
        if line.startswith("v "):
            points += map(float, line.split()[1:])
    has_triangles = any(line.startswith("f ") for line in lines)
    return has_triangles and bool(points) and bool(np.isfinite(points).all())


def _is_json(path: Path) -> bool:
    return isinstance(json.loads(path.read_text(encoding="utf-8")), dict)


def _is_picture(path: Path) -> bool:
    with Pillow.open(path) as picture:
        picture.load()
        return min(picture.size) > 0


def _is_video(path: Path) -> bool:
    return path.read_bytes()[4:8] == b"ftyp"


def _is_glb(path: Path) -> bool:
    return path.read_bytes().startswith(b"glTF")


def _is_text(path: Path) -> bool:
    return bool(path.read_text(encoding="utf-8"))


_LOOKS = {
    ".obj": _has_faces,
    ".mtl": _is_text,
    ".glb": _is_glb,
    ".json": _is_json,
    ".png": _is_picture,
    ".gif": _is_picture,
    ".mp4": _is_video,
}


def _check_rebuilt(photo: Path, layers: Mapping[str, Any], told: str) -> None:
    """Factors multiply, and summands add up, to the photo."""
    rebuilt = rebuild(layers)
    if rebuilt is None:
        return
    error = float(np.sqrt(np.mean((rebuilt - read_photo(photo).pixels) ** 2)))
    product = "albedo" in layers
    how = "albedo · shading gives" if product else f"{' + '.join(SUMMANDS)} give"
    expect(error <= REBUILDS, f"{told}: {how} the photo back (RMSE {error:.2g})")
