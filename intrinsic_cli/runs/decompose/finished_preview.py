"""The contact sheet of a photo that an earlier run has done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from intrinsic_cli.kit.files import sidecar
from intrinsic_cli.kit.files.atomic import write_text
from intrinsic_cli.kit.files.read_layers import LayerFile
from intrinsic_cli.runs.decompose.large import LARGE
from intrinsic_cli.runs.decompose.load import load, read_codes, read_floats
from intrinsic_cli.runs.decompose.plan import Plan
from intrinsic_cli.runs.decompose.targets import Target
from intrinsic_cli.runs.decompose.write import preview_of, show_layer

if TYPE_CHECKING:
    from intrinsic_cli.kit.files.layer_rows import LayerRows
    from intrinsic_cli.kit.files.layers import StoredLayer
    from intrinsic_cli.kit.inference.rows import Rows


def add_preview(target: Target, plan: Plan, facts: Mapping[str, Any]) -> None:
    """The preview of a photo whose layers are in their files; its sidecar tells of it. DataError
    where one cannot be read; OSError."""
    from intrinsic_cli.kit.files.photo import write_png

    preview = preview_of(_read_photo(target, plan))  # which is let go before layers are read
    for name in plan.outputs:
        entry = facts["layers"].get(name)
        if entry is None:
            continue
        path = target.base.parent / entry["file"]
        file = LayerFile(path, entry["encoding"], entry["scale"], array=name)
        show_layer(preview, plan, name, _read_layer(name, file, preview.size))
    write_png(target.preview, preview.sheet())
    told = {**facts, "preview": target.preview.name}
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


def _read_layer(name: str, file: LayerFile, size: tuple[int, int]) -> StoredLayer | LayerRows:
    """A layer at the size of the photo: row by row from its file, or whole where that cannot be, or
    somebody has changed its size."""
    from intrinsic_cli.kit.files.layer_rows import open_layer_rows
    from intrinsic_cli.kit.files.layers import StoredLayer
    from intrinsic_cli.kit.files.read_layers import at_size, open_layer_file

    rows = open_layer_rows(name, file)
    if rows is not None and rows.size == size:
        return rows
    stored = open_layer_file(name, file)
    if stored.codes.shape[:2] == size:
        return stored
    return StoredLayer(at_size(stored, size))
