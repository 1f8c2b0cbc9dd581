"""Whatever a method hands out → files on disk, by its kind. Light until something is written.

Files are called ``<stem>.<name><suffix>``; of several meshes, textures or animations of one name
the second is ``<stem>.<name>-2<suffix>``; as npz all layers lie in ``<stem>.npz``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intrinsic_cli.api import PluginError
from intrinsic_cli.api.outputs import Kind
from intrinsic_cli.kit.files.atomic import replacing
from intrinsic_cli.kit.files.formats import LAYER_SUFFIXES

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.kit.files.layers import StoredLayer

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
    all others as their kind says (a mesh without texture has neither ``.mtl`` nor
    ``.png``)."""
    if kind.is_layer:
        label = "" if form == "npz" else f".{name}"
        return [base.with_name(f"{base.name}{label}{LAYER_SUFFIXES[form]}")]
    files = []
    for number in range(1, count + 1):
        files += [_place(base, name, number, suffix) for suffix in kind.suffixes]
    return files


def _place(base: Path, name: str, number: int, suffix: str) -> Path:
    label = name if number == 1 else f"{name}-{number}"
    return base.with_name(f"{base.name}.{label}{suffix}")


def write_outputs(
    base: Path,
    outputs: Mapping[str, tuple[Kind, Any]],
    form: str,
    alpha: Image | None = None,
    fps: float = FPS,
    photo_alpha: Image | None = None,
) -> dict[str, Written]:
    """Write the outputs of one photo, name → kind and value (see :func:`write_output`), in their
    order; ``photo_alpha`` is for those that hold everywhere. As npz all layers are one file, with
    one ``alpha``."""
    together: dict[str, Written] = {}
    if form == "npz":
        layers = {name: value for name, (kind, value) in outputs.items() if kind.is_layer}
        kinds = {name: kind for name, (kind, _) in outputs.items() if kind.is_layer}
        together = _write_npz(base, layers, kinds, alpha)
    written = {}
    for name, (kind, value) in outputs.items():
        if name in together:
            written[name] = together[name]
        else:
            holds = photo_alpha if kind.everywhere else alpha
            written[name] = write_output(base, name, kind, value, form, holds, fps)
    return written


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
    or a sequence of meshes, of textures [h,w,3] or of animations [T,h,w,3], linear. PluginError
    where it is not what its kind says.
    """
    if kind.is_layer:
        return _write_layer(base, name, kind, value, form, alpha)
    files: list[Path] = []
    values = [value] if kind.name == "record" else _sequence(name, kind, value)
    for number, one in enumerate(values, start=1):
        place = _place(base, name, number, "")
        files += _write_other(place, name, kind, one, fps)
    return Written(tuple(files), _entry(kind, files))


def _write_layer(
    base: Path, name: str, kind: Kind, layer: Image, form: str, alpha: Image | None
) -> Written:
    if form == "npz":
        return _write_npz(base, {name: layer}, {name: kind}, alpha)[name]
    from intrinsic_cli.kit.files.layers import write_layer

    _check_layer(name, kind, layer)
    (path,) = output_files(base, name, kind, form)
    with replacing(path) as temporary:
        stored = write_layer(temporary, layer, kind, form, alpha)
    return _written(kind, path, stored)


def _write_npz(
    base: Path, layers: Mapping[str, Image], kinds: Mapping[str, Kind], alpha: Image | None
) -> dict[str, Written]:
    from intrinsic_cli.kit.files.layers import write_npz

    if not layers:
        return {}
    for name, layer in layers.items():
        _check_layer(name, kinds[name], layer)
    path = base.with_name(f"{base.name}{LAYER_SUFFIXES['npz']}")
    with replacing(path) as temporary:
        stored = write_npz(temporary, layers, alpha)
    return {name: _written(kinds[name], path, layer) for name, layer in stored.items()}


def _written(kind: Kind, path: Path, stored: StoredLayer) -> Written:
    entry = _entry(kind, [path], encoding=stored.encoding, scale=stored.scale)
    if stored.clipped:
        entry["clipped"] = stored.clipped
    return Written((path,), entry, stored)


def _write_other(place: Path, name: str, kind: Kind, value: Any, fps: float) -> list[Path]:
    """One mesh, record, texture or animation, in files that begin with ``place``."""
    try:
        if kind.name == "mesh":
            from intrinsic_cli.kit.files.meshes import write_mesh

            return write_mesh(place, value)
        if kind.name == "record":
            from intrinsic_cli.kit.files.records import write_record

            return [write_record(place, value)]
        from intrinsic_cli.kit.files.animations import write_animation, write_texture

        if kind.name == "animation":
            return [write_animation(place, value, fps)]
        return [write_texture(place, value)]
    except PluginError as error:
        raise PluginError(f"{kind.name} {name!r}: {error.message}", error.hint) from error


def _check_layer(name: str, kind: Kind, layer: Any) -> None:
    shape = tuple(layer.shape)
    if len(shape) != 3 or shape[2] not in kind.channels:
        channels = " or ".join(map(str, kind.channels))
        hint = f"a {kind.name} has {channels} channels"
        raise PluginError(f"layer {name!r} has the shape {shape}, not [H,W,C]", hint)


def _sequence(name: str, kind: Kind, value: Any) -> Sequence[Any]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        hint = "give a list with an entry a region, or with one"
        raise PluginError(f"{kind.name} {name!r} is a {type(value).__name__}, not a list", hint)
    return value


def _entry(kind: Kind, files: Sequence[Path], **more: Any) -> dict[str, Any]:
    return {"kind": kind.name, "files": [file.name for file in files], **more}
