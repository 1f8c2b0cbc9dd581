"""Photos too large to be taken apart whole: their layers are made and written strip by strip."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intrinsic_cli.api import Decomposition, Kind
from intrinsic_cli.kit.files.outputs import Written, output_files
from intrinsic_cli.requests import DecomposeRequest, InputReport
from intrinsic_cli.runs.decompose.load import (
    LoadedPhoto,
    LoadedRows,
    load,
    load_mask,
    read_codes,
    read_floats,
)
from intrinsic_cli.runs.decompose.plan import Plan
from intrinsic_cli.runs.decompose.targets import Target
from intrinsic_cli.runs.decompose.write import put_sidecar
from intrinsic_cli.runs.session import Session

if TYPE_CHECKING:
    from intrinsic_cli.kit.files.exif import Exif
    from intrinsic_cli.kit.files.layers import StoredLayer
    from intrinsic_cli.kit.files.preview import Preview
    from intrinsic_cli.kit.inference.answer import Part
    from intrinsic_cli.kit.inference.rows import Rows
    from intrinsic_cli.kit.inference.strips import Strips

#: Pixels from which on a photo is done in strips. A folder of 12 megapixels took 1.5 GB whole.
LARGE = 8_000_000
#: Photos that travel to a device as codes are so many times as high and wide as what its network
#: sees, or more: others are hardly worth it.
_WORTH = 2


@dataclass(frozen=True, slots=True)
class LargePhoto:
    """A photo of which rows are asked for, the hash of its file (and of that of its mask, ""
    without one), when work on it began, and what is kept of its EXIF (None where nothing is asked
    for)."""

    rows: Rows
    sha256: str
    began: float
    mask_sha256: str = ""
    exif: Exif | None = None


@dataclass(frozen=True, slots=True)
class LargeResult:
    """Its layers to be, everything that is no layer, and how long the network took."""

    strips: Strips
    part: Part
    seconds: float


def fits_strips(plan: Plan, session: Session) -> bool:
    """Can all that is asked for be made and written in strips?"""
    from intrinsic_cli.kit.inference.strip_files import FORMATS
    from intrinsic_cli.kit.inference.strips import works_in_strips

    asked = plan.request
    kinds = [plan.choice.variant.kind(name) for name in plan.outputs]
    layers_only = all(kind.is_layer for kind in kinds)
    return asked.format in FORMATS and layers_only and works_in_strips(session.decomposer)


def open_photo(target: Target, plan: Plan, session: Session) -> LargePhoto | LoadedPhoto:
    """A large photo for strips, of its file or its codes where that can be; any other whole."""
    large = _open_large(target, plan, session)
    if large is not None:
        return large
    loaded = _load_whole(target, plan, session)
    return _in_memory(loaded, session) or loaded


def _load_whole(target: Target, plan: Plan, session: Session) -> LoadedPhoto:
    """As :func:`load`; a photo that is sure to be done in strips may be larger than others."""
    from intrinsic_cli.kit.files.memory import before_strips
    from intrinsic_cli.kit.inference.strips import has_last_word

    if has_last_word(session.decomposer):
        return load(target, plan.request)
    with before_strips():
        return load(target, plan.request)


def _in_memory(loaded: LoadedPhoto, session: Session) -> LargePhoto | None:
    """A photo that was read whole, for strips; None where it is not large, or a method has the last
    word on light beyond white, which is not told of some rows."""
    from intrinsic_cli.kit.inference.strip_photo import PhotoInMemory
    from intrinsic_cli.kit.inference.strips import has_last_word
    from intrinsic_cli.kit.light.beyond_white import exposure_of

    pixels = loaded.photo.pixels
    height, width = pixels.shape[:2]
    side = _WORTH * (session.decomposer.frame.size or 0)
    if height * width < LARGE or min(height, width) < side:
        return None
    if has_last_word(session.decomposer) and pixels.max() > 1:
        return None
    rows = PhotoInMemory(loaded.photo, exposure_of(pixels))
    return LargePhoto(rows, loaded.sha256, loaded.began, loaded.mask_sha256, loaded.exif)


def _open_large(target: Target, plan: Plan, session: Session) -> LargePhoto | None:
    """The photo, None where it is not large, or of a kind that is read whole."""
    from intrinsic_cli.kit.inference.paths import path_for

    began = time.perf_counter()
    request = plan.request
    device = session.runtime.device
    path = path_for(device)
    size = session.decomposer.frame.size or 0
    side = _WORTH * size if path.any_size else 0
    loaded = _of_floats(target, request, session, side)
    if loaded is None:
        loaded = read_codes(target, request, 0 if path.any_size else LARGE, side)
    if loaded is None:
        return None
    exif = loaded.metadata.exif if request.metadata == "keep" else None
    photo = LargePhoto(path.bring(loaded.rows, device), loaded.sha256, began, exif=exif)
    return _masked(photo, target, request.mask)


def _of_floats(
    target: Target, request: DecomposeRequest, session: Session, side: int
) -> LoadedRows | None:
    """One whose floats are read from its file; None, too, where a method has the last word on light
    beyond white."""
    from intrinsic_cli.kit.inference.strips import has_last_word

    loaded = read_floats(target, request, LARGE, side)
    if loaded is None:
        return None
    sees_all = has_last_word(session.decomposer) and loaded.rows.is_hdr
    return None if sees_all else loaded


def _masked(photo: LargePhoto, target: Target, place: Path | None) -> LargePhoto:
    """The photo with its mask at ``place``, where there is to be one."""
    from intrinsic_cli.kit.files.mask import open_mask
    from intrinsic_cli.kit.inference.masked_rows import MaskedRows

    if place is None:
        return photo
    data = load_mask(target, place)
    mask = open_mask(data, photo.rows.size, str(target.mask))
    rows = MaskedRows(photo.rows, mask)
    return replace(photo, rows=rows, mask_sha256=hashlib.sha256(data).hexdigest())


def take_apart(
    photos: Sequence[LargePhoto], session: Session, note: Callable[[str], None]
) -> list[LargeResult]:
    """Show the network small copies; ``note`` hears of batches and strips made smaller.
    LargerLayerError where a photo must be taken apart whole after all."""
    from intrinsic_cli.kit.inference.batches import Network
    from intrinsic_cli.kit.inference.strip_batches import make_strips_of

    start = time.perf_counter()
    kinds = session.choice.variant.kinds
    network = Network(session.decomposer, session.runtime, kinds, note, session.room)
    made = make_strips_of(network, [photo.rows for photo in photos])
    seconds = (time.perf_counter() - start) / max(1, len(photos))
    return [LargeResult(strips, part, seconds) for strips, part in made]


def whole(photo: LargePhoto) -> LoadedPhoto:
    """All of it, as if it had been read whole."""
    header = photo.rows.header
    everything = slice(0, photo.rows.size[0])
    light = photo.rows.rows(everything)
    loaded = replace(header, pixels=light.pixels, alpha=light.alpha)
    return LoadedPhoto(loaded, photo.sha256, photo.began, photo.mask_sha256, photo.exif)


def write_large(plan: Plan, target: Target, photo: LargePhoto, result: LargeResult) -> InputReport:
    """Write the layers strip by strip, the preview, and the sidecar that vouches for them.
    OSError."""
    from intrinsic_cli.kit.files.photo import write_png
    from intrinsic_cli.kit.files.preview import Preview

    # From here on, what the sidecar vouched for is being replaced.
    target.sidecar.unlink(missing_ok=True)
    preview = Preview(photo.rows.size) if plan.request.preview else None
    written, error = _write_layers(plan, target, photo, result, preview)
    if preview is not None:
        write_png(target.preview, preview.sheet())
    loaded = LoadedPhoto(photo.rows.header, photo.sha256, photo.began, photo.mask_sha256)
    facts = {
        "seconds": result.seconds,
        "clipped": loaded.photo.clipped,
        "repaired": loaded.photo.repaired,
        **result.part.facts,
    }
    whole = Decomposition(loaded.photo.pixels, {}, facts=facts, notes=tuple(result.part.notes))
    return put_sidecar(plan, target, loaded, whole, written, error)


def _write_layers(
    plan: Plan,
    target: Target,
    photo: LargePhoto,
    result: LargeResult,
    preview: Preview | None,
) -> tuple[dict[str, Written], float | None]:
    """The layers by name, and the error with which they rebuild the photo; ``preview`` sees
    them."""
    from intrinsic_cli.kit.files.atomic import replacing
    from intrinsic_cli.kit.inference.strip_files import write_strips

    form = plan.request.format
    kinds = {name: plan.choice.variant.kind(name) for name in plan.outputs}
    files = {name: output_files(target.base, name, kinds[name], form)[0] for name in kinds}
    with ExitStack() as stack:
        new = {path: stack.enter_context(replacing(path)) for path in dict.fromkeys(files.values())}
        places = {name: new[path] for name, path in files.items()}
        stored, error = write_strips(
            photo.rows, result.strips, kinds, places, form, photo.exif, preview
        )
    written = {name: _written(kinds[name], files[name], stored[name]) for name in kinds}
    return written, error


def _written(kind: Kind, path: Path, layer: StoredLayer) -> Written:
    entry: dict[str, Any] = {
        "kind": kind.name,
        "files": [path.name],
        "encoding": layer.encoding,
        "scale": layer.scale,
    }
    if layer.clipped:
        entry["clipped"] = layer.clipped
    return Written((path,), entry, layer)
