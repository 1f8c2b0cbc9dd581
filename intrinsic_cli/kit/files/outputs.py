"""Whatever a method hands out → files on disk, by its kind. Light until something is written.

Files are called ``<stem>.<name><suffix>``; of several meshes, textures or animations of one name
the second is ``<stem>.<name>-2<suffix>``; in formats of which one file holds all layers these lie
in ``<stem><suffix>``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intrinsic_cli.api import PluginError
from intrinsic_cli.api.outputs import Kind
from intrinsic_cli.kit.files.atomic import replacing
from intrinsic_cli.kit.files.formats import MULTILAYER, TOGETHER, layer_suffix

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.kit.files.exif import Exif
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
        label = "" if form in TOGETHER else f".{name}"
        return [base.with_name(f"{base.name}{label}{layer_suffix(form)}")]
    files = []
    for number in range(1, count + 1):
        files += [_place(base, name, number, suffix) for suffix in kind.suffixes]
    return files


def _place(base: Path, name: str, number: int, suffix: str) -> Path:
    label = name if number == 1 else f"{name}-{number}"
    return base.with_name(f"{base.name}.{label}{suffix}")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What goes into files besides the outputs, as far as their formats can hold it: ``alpha``
    [H,W], where layers hold, and ``photo_alpha``, for those that hold everywhere; the ``photo``
    [H,W,3] itself, into an EXR of all layers; and ``exif`` (None: files say nothing, not even that
    their codes are sRGB). ``fps``: pictures a second of an animation. ``scales`` are those of the
    codes of layers by name, where each is not to have its own."""

    alpha: Image | None = None
    photo_alpha: Image | None = None
    photo: Image | None = None
    exif: Exif | None = None
    fps: float = FPS
    scales: Mapping[str, float] = field(default_factory=dict)

    def alpha_of(self, kind: Kind) -> Image | None:
        """Where the layers of a kind hold."""
        return self.photo_alpha if kind.everywhere else self.alpha


ALONE = Surroundings()


def write_outputs(
    base: Path, outputs: Mapping[str, tuple[Kind, Any]], form: str, around: Surroundings = ALONE
) -> dict[str, Written]:
    """Write the outputs of one photo, name → kind and value (see :func:`write_output`), in their
    order. Formats of which one file holds all layers have one ``alpha``."""
    together: dict[str, Written] = {}
    if form in TOGETHER:
        layers = {name: output for name, output in outputs.items() if output[0].is_layer}
        together = _write_together(base, layers, form, around)
    written = {}
    for name, (kind, value) in outputs.items():
        if name in together:
            written[name] = together[name]
        else:
            written[name] = write_output(base, name, kind, value, form, around)
    return written


def write_output(
    base: Path, name: str, kind: Kind, value: Any, form: str, around: Surroundings = ALONE
) -> Written:
    """Write one output, each file whole or not at all.

    ``value``: a layer [H,W,C] linear (with alpha where the format can hold it); a record; or a
    sequence of meshes, of textures [h,w,3] or of animations [T,h,w,3], linear. PluginError where it
    is not what its kind says.
    """
    if kind.is_layer:
        return _write_layer(base, name, kind, value, form, around)
    files: list[Path] = []
    values = [value] if kind.name == "record" else _sequence(name, kind, value)
    for number, one in enumerate(values, start=1):
        place = _place(base, name, number, "")
        files += _write_other(place, name, kind, one, around.fps)
    return Written(tuple(files), _entry(kind, files))


def _write_layer(
    base: Path, name: str, kind: Kind, layer: Image, form: str, around: Surroundings
) -> Written:
    if form in TOGETHER:
        return _write_together(base, {name: (kind, layer)}, form, around)[name]
    from intrinsic_cli.kit.files.layers import write_layer

    _check_layer(name, kind, layer)
    (path,) = output_files(base, name, kind, form)
    with replacing(path) as temporary:
        alpha, scale = around.alpha_of(kind), around.scales.get(name)
        stored = write_layer(temporary, layer, kind, form, alpha, around.exif, scale)
    return _written(kind, path, stored)


def _write_together(
    base: Path, layers: Mapping[str, tuple[Kind, Image]], form: str, around: Surroundings
) -> dict[str, Written]:
    """All layers in one file."""
    from intrinsic_cli.kit.files.layers import write_multilayer, write_npz

    if not layers:
        return {}
    for name, (kind, layer) in layers.items():
        _check_layer(name, kind, layer)
    path = base.with_name(f"{base.name}{layer_suffix(form)}")
    with replacing(path) as temporary:
        if form in MULTILAYER:
            alphas = _alphas(layers, around)
            stored = write_multilayer(temporary, layers, around.photo, MULTILAYER[form], alphas)
        else:
            arrays = {name: layer for name, (_, layer) in layers.items()}
            stored = write_npz(temporary, arrays, around.alpha)
    return {name: _written(layers[name][0], path, layer) for name, layer in stored.items()}


def _alphas(layers: Mapping[str, tuple[Kind, Image]], around: Surroundings) -> dict[str, Image]:
    """The photo's alpha as "", and those of layers that hold elsewhere; without a photo the layers'
    own as ""."""
    whole = around.alpha if around.photo is None else around.photo_alpha
    found = {} if whole is None else {"": whole}
    for name, (kind, _) in layers.items():
        alpha = around.alpha_of(kind)
        if alpha is not None and alpha is not whole:
            found[name] = alpha
    return found


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
