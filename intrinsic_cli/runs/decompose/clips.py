"""Videos: every frame taken apart, with one scale of albedo over each shot, in memory that does not
grow with their length."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from intrinsic_cli.api import DataError, Decomposition
from intrinsic_cli.requests import InputReport
from intrinsic_cli.runs.decompose.clip_work import ClipResult, OpenedClip, to_photo
from intrinsic_cli.runs.decompose.load import LoadedPhoto
from intrinsic_cli.runs.decompose.plan import Plan
from intrinsic_cli.runs.decompose.targets import Target
from intrinsic_cli.runs.decompose.write import put_sidecar

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.kit.files.clip import Clip, Frames
    from intrinsic_cli.kit.files.photo import Photo

_PICTURES = "make pictures of it, ffmpeg -i VIDEO frames/%06d.png, and take these apart"


def open_clip(target: Target, plan: Plan) -> OpenedClip:
    """Look through a video. DataError where it cannot be read, or what is asked for cannot be made
    of it."""
    from intrinsic_cli.kit.files import clip
    from intrinsic_cli.kit.files.memory import at_most

    began = time.perf_counter()
    assert target.path is not None  # stdin is a photo
    _check(plan)
    with at_most(plan.request.max_pixels):
        opened = clip.open_clip(target.path, plan.request.fps)
    with target.path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    if plan.request.preview:
        notes = (*opened.notes, "no contact sheet is made of a video")
        opened = replace(opened, notes=notes)
    return OpenedClip(target, opened, digest.hexdigest(), began)


def write_clip(plan: Plan, opened: OpenedClip, result: ClipResult) -> InputReport:
    """Put the layers in their places, and the sidecar beside them. OSError."""
    target, clip = opened.target, opened.clip
    # From here on, what the sidecar vouched for is being replaced.
    target.sidecar.unlink(missing_ok=True)
    written = result.layers.finish(target.base)

    def decode(frame: Frames) -> Image:
        return to_photo(frame, plan).pixels

    error = result.layers.error(clip, result.frames, decode)
    loaded = LoadedPhoto(_about(clip, plan), opened.sha256, opened.began)
    whole = Decomposition(loaded.photo.pixels, {}, facts=result.facts, notes=tuple(result.notes))
    plain = replace(plan.for_clip, request=replace(plan.request, preview=False))
    report = put_sidecar(plain, target, loaded, whole, written, error)
    result.parts.remove()
    return report


def _check(plan: Plan) -> None:
    """DataError for what a video cannot be made into."""
    if plan.request.mask is not None:
        raise DataError("--mask is for photos: a video would need one a frame", _PICTURES)
    kinds = {name: plan.choice.variant.kind(name) for name in plan.outputs}
    layers = [name for name, kind in kinds.items() if kind.is_layer]
    for name, kind in kinds.items():
        if kind.is_layer:
            continue
        hint = f"--layers {','.join(layers)} leaves it out; or {_PICTURES}" if layers else _PICTURES
        message = f"{plan.choice.title} makes a {kind.name} of each frame ({name})"
        raise DataError(f"{message}, which no video can hold", hint)


def _about(clip: Clip, plan: Plan) -> Photo:
    """What the sidecar tells of a video as of a photo: its pixels are but a size."""
    import numpy as np

    from intrinsic_cli.kit.files.photo import Photo

    pixels = np.broadcast_to(np.float32(0), (*clip.size, 3))
    asked = plan.request.input_encoding
    return Photo(pixels, encoding="srgb" if asked == "auto" else asked, bits=clip.bits)
