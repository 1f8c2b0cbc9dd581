"""Whatever a method hands out → files on disk, by its kind. Light until something is written.

``<stem>.<name><suffix>``; of several meshes, textures or animations of one name the second is
``<stem>.<name>-2<suffix>``; as npz all layers lie in ``<stem>.npz``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intrinsic_cli.api.outputs import Kind
from intrinsic_cli.kit.files.formats import LAYER_SUFFIXES

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.kit.files.layers import Stored as StoredLayer

#: Pictures a second of an animation.
FPS = 12.0


@dataclass(frozen=True, slots=True)
class Written:
    """An output on disk: its ``files``; its ``entry`` in the sidecar's ``outputs``; and, of a
    layer, the numbers that its file holds."""

    files: tuple[Path, ...]
    entry: Mapping[str, Any]
    stored: StoredLayer | None = None


def output_files(base: Path, name: str, kind: Kind, form: str, count: int = 1) -> list[Path]:
    """The files that ``count`` outputs called ``name`` may become: layers in the format ``form``,
    all others as their kind says (a mesh without texture has no ``.png``)."""
    if kind.is_layer:
        label = "" if form == "npz" else f".{name}"
        return [base.with_name(f"{base.name}{label}{LAYER_SUFFIXES[form]}")]
    return [
        base.with_name(f"{base.name}.{name}{_number(index)}{suffix}")
        for index in range(count)
        for suffix in kind.suffixes
    ]


def _number(index: int) -> str:
    return f"-{index + 1}" if index else ""


def write_outputs(
    base: Path,
    outputs: Mapping[str, tuple[Kind, Any]],
    form: str,
    alpha: Image | None = None,
    fps: float = FPS,
) -> dict[str, Written]:
    """Write outputs (name → kind and value) of one photo; see :func:`write_output`. Unlike that, it
    also writes layers as npz, all in one file."""
    raise NotImplementedError


def write_output(
    base: Path,
    name: str,
    kind: Kind,
    value: Any,
    form: str,
    alpha: Image | None = None,
    fps: float = FPS,
) -> Written:
    """Write one output, each file whole or not at all.

    ``value``: a layer [H,W,C] linear (with ``alpha`` [H,W] where the format can hold it); a record;
    or a sequence of meshes, textures [h,w,3] or animations [T,h,w,3], linear. PluginError where it
    is not what its kind says.
    """
    raise NotImplementedError


def write_npz(
    base: Path, layers: Mapping[str, tuple[Kind, Image]], alpha: Image | None = None
) -> dict[str, Written]:
    """Write all layers (name → kind and value) as float32 arrays of one file."""
    raise NotImplementedError


def _entry(kind: Kind, files: Sequence[Path], **more: Any) -> dict[str, Any]:
    return {"kind": kind.name, "files": [file.name for file in files], **more}
