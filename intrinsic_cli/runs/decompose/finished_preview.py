"""The contact sheet of a photo that an earlier run has done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from intrinsic_cli.kit.files import sidecar
from intrinsic_cli.kit.files.atomic import write_text
from intrinsic_cli.runs.decompose.large import LARGE
from intrinsic_cli.runs.decompose.load import load, read_codes, read_floats
from intrinsic_cli.runs.decompose.plan import Plan
from intrinsic_cli.runs.decompose.targets import Target
from intrinsic_cli.runs.decompose.write import write_preview

if TYPE_CHECKING:
    from intrinsic_cli.kit.files.layers import StoredLayer
    from intrinsic_cli.kit.inference.rows import Rows


def add_preview(target: Target, plan: Plan, facts: Mapping[str, Any]) -> None:
    """The preview of a photo whose layers are in their files; its sidecar tells of it. DataError
    where one cannot be read; OSError."""
    photo = _read_photo(target, plan)
    layers = _read_layers(target, plan, facts, photo.size)
    write_preview(target, plan, photo, layers)
    name = target.preview.name
    told = {**facts, "preview": name}
    write_text(target.sidecar, sidecar.dump(told))


def _read_photo(target: Target, plan: Plan) -> Rows:
    """The rows of a large one, any other whole."""
    from intrinsic_cli.kit.inference.strip_photo import PhotoInMemory

    for read in (read_floats, read_codes):
        found = read(target, plan.request, LARGE)
        if found is not None:
            return found.rows
    loaded = load(target, plan.request)
    return PhotoInMemory(loaded.photo)


def _read_layers(
    target: Target, plan: Plan, facts: Mapping[str, Any], size: tuple[int, int]
) -> Iterator[tuple[str, StoredLayer]]:
    """Layers from their files, one after the other, at the size of the photo."""
    from intrinsic_cli.kit.files.layers import StoredLayer
    from intrinsic_cli.kit.files.read_layers import LayerFile, at_size, open_layer_file

    for name in plan.outputs:
        entry = facts["layers"].get(name)
        if entry is None:
            continue
        path = target.base.parent / entry["file"]
        file = LayerFile(path, entry["encoding"], entry["scale"], array=name)
        stored = open_layer_file(name, file)
        if stored.codes.shape[:2] != size:  # somebody has changed it
            stored = StoredLayer(at_size(stored, size))
        yield name, stored
