"""The outputs of one photo on disk: files by their kinds, the preview and, last, the sidecar that
vouches for them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from intrinsic_cli import __version__
from intrinsic_cli.api import Decomposition, PluginError
from intrinsic_cli.kit.files import sidecar
from intrinsic_cli.kit.files.atomic import write_text
from intrinsic_cli.kit.files.outputs import Surroundings, Written, write_outputs
from intrinsic_cli.requests import InputReport
from intrinsic_cli.runs.decompose.load import LoadedPhoto
from intrinsic_cli.runs.decompose.plan import Plan
from intrinsic_cli.runs.decompose.targets import Target

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.kit.files.layer_rows import LayerRows
    from intrinsic_cli.kit.files.layers import StoredLayer
    from intrinsic_cli.kit.files.preview import Preview
    from intrinsic_cli.kit.inference.rows import Rows


def write(plan: Plan, target: Target, loaded: LoadedPhoto, result: Decomposition) -> InputReport:
    """Write what was made of a photo, at a place that is claimed. PluginError, OSError."""
    from intrinsic_cli.kit.files.layers import rebuild_error

    missing = [name for name in plan.outputs if result.get(name) is None]
    if missing:
        message = f"{plan.choice.spec.name} gave no output {missing[0]!r}"
        raise PluginError(message, "the plugin promises it")
    variant = plan.choice.variant
    # From here on, what the sidecar vouched for is being replaced.
    target.sidecar.unlink(missing_ok=True)
    outputs = {name: (variant.kind(name), result.get(name)) for name in plan.outputs}
    around = Surroundings(result.alpha, loaded.photo.alpha, result.photo, loaded.exif)
    written = write_outputs(target.base, outputs, plan.request.format, around)
    stored = {name: one.stored for name, one in written.items() if one.stored is not None}
    if plan.request.preview:
        _preview_whole(target, plan, result.photo, stored)
    error = rebuild_error(result.photo, stored)
    return put_sidecar(plan, target, loaded, result, written, error)


def put_sidecar(
    plan: Plan,
    target: Target,
    loaded: LoadedPhoto,
    result: Decomposition,
    written: Mapping[str, Written],
    error: float | None,
) -> InputReport:
    """The sidecar of a photo whose outputs are ``written``, with the ``error`` of the photo that
    they make; what there is to report. OSError."""
    facts = _describe(plan, target, loaded, result, written)
    facts.setdefault("reconstruction_rmse", error)
    facts["iid"] = __version__
    write_text(target.sidecar, sidecar.dump(facts))
    return _report(plan, target, loaded, result, written)


def preview_of(photo: Rows) -> Preview:
    """A contact sheet of the photo, to which layers are added."""
    from intrinsic_cli.kit.files.preview import Preview
    from intrinsic_cli.kit.light.resize import bands

    preview = Preview(photo.size)
    for rows in bands(*photo.size):
        preview.add_photo(rows, photo.rows(rows).pixels)
    return preview


def show_layer(preview: Preview, plan: Plan, name: str, layer: StoredLayer | LayerRows) -> None:
    """A layer, as bright as in a file of its own, is added."""
    from intrinsic_cli.kit.light.resize import bands

    kind = plan.choice.variant.kind(name)
    for rows in bands(*preview.size):
        preview.add_layer(name, kind, rows, layer.linear(rows))


def _preview_whole(
    target: Target, plan: Plan, photo: Image, layers: Mapping[str, StoredLayer]
) -> None:
    """The preview of a photo that is in memory, and of its layers. OSError."""
    from intrinsic_cli.kit.files.photo import Photo, write_png
    from intrinsic_cli.kit.inference.strip_photo import PhotoInMemory

    rows = PhotoInMemory(Photo(photo))
    preview = preview_of(rows)
    for name, layer in layers.items():
        show_layer(preview, plan, name, layer)
    write_png(target.preview, preview.sheet())


def _describe(
    plan: Plan,
    target: Target,
    loaded: LoadedPhoto,
    result: Decomposition,
    written: Mapping[str, Written],
) -> dict[str, Any]:
    """The facts of the sidecar. Those of the method come last and replace none of the house's."""
    facts = {
        **_about_photo(target, loaded),
        **plan.recipe,
        **sidecar.describe_outputs(written),
    }
    if result.regions:
        facts["regions"] = list(_regions(result))
    if plan.request.preview:
        facts["preview"] = target.preview.name
    notes = (*loaded.photo.remarks, *result.notes)
    if notes:
        facts["notes"] = list(notes)
    for name, value in result.facts.items():
        rounded = round(value, 6) if isinstance(value, float) else value
        facts.setdefault(name, rounded)
    return facts


def _about_photo(target: Target, loaded: LoadedPhoto) -> dict[str, Any]:
    photo = loaded.photo
    height, width = photo.pixels.shape[:2]
    facts = {
        "version": sidecar.VERSION,
        "input": target.path.name if target.path else "-",
        "sha256": loaded.sha256,
        "size": [width, height],
        "source": target.source,
        "encoding": photo.encoding,
        "bits": photo.bits,
    }
    if photo.profile:
        facts["profile"] = photo.profile
    if photo.outside:
        facts["outside_srgb"] = round(photo.outside, 6)
    if target.mask is not None:
        facts |= {"mask": target.mask.name, "mask_sha256": loaded.mask_sha256}
    return facts


def _regions(result: Decomposition) -> Iterator[dict[str, Any]]:
    """Each region with the map from its upright picture to the photo."""
    from intrinsic_cli.kit.inference.regions import place_of

    described = sidecar.describe_regions(result.regions)
    for region, facts in zip(result.regions, described, strict=True):
        rows = place_of(region).transform
        transform = [[round(number, 6) for number in row] for row in rows]
        yield {**facts, "transform": transform}


def _report(
    plan: Plan,
    target: Target,
    loaded: LoadedPhoto,
    result: Decomposition,
    written: Mapping[str, Written],
) -> InputReport:
    files = {name: [str(path) for path in one.files] for name, one in written.items()}
    layers = {name: files[name][0] for name, one in written.items() if one.stored is not None}
    paths = [path for each in files.values() for path in each]
    preview = str(target.preview) if plan.request.preview else ""
    return InputReport(
        target.input,
        "done",
        layers,
        str(target.sidecar),
        time.perf_counter() - loaded.began,
        outputs=files,
        preview=preview,
        written=tuple(dict.fromkeys([*paths, *filter(None, [preview])])),
        notes=(*loaded.photo.remarks, *result.notes, *_clipped(written)),
    )


def _clipped(written: Mapping[str, Written]) -> Iterator[str]:
    """A sentence for each layer that is brighter than its format can tell."""
    for name, one in written.items():
        share = one.entry.get("clipped", 0.0)
        if share:
            yield (
                f"{share:.2%} of {name} is beyond what half precision holds and was clipped "
                "(--format exr32 or tiff keeps it)"
            )
