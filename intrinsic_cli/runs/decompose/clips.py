"""Videos and frame sequences: every frame taken apart, with one scale of albedo over each shot, in
memory that does not grow with their length."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from intrinsic_cli.api import DataError, Decomposition, UsageError
from intrinsic_cli.kit.files import sidecar
from intrinsic_cli.kit.files.frames_folder import frames_folder, own_files, stranger_in
from intrinsic_cli.kit.files.os_errors import reason
from intrinsic_cli.requests import InputReport
from intrinsic_cli.runs.decompose.clip_work import ClipResult, OpenedClip
from intrinsic_cli.runs.decompose.content import content_hash
from intrinsic_cli.runs.decompose.load import LoadedPhoto
from intrinsic_cli.runs.decompose.plan import Plan
from intrinsic_cli.runs.decompose.targets import SEQUENCE, Target
from intrinsic_cli.runs.decompose.write import put_sidecar

if TYPE_CHECKING:
    from intrinsic_cli.kit.files.clip import Clip
    from intrinsic_cli.kit.files.photo import Photo

_PICTURES = "make pictures of it, ffmpeg -i VIDEO frames/%06d.png, and take these apart"
_PHOTOS = "take its frames apart as photos: without --sequence"


def open_clip(target: Target, plan: Plan) -> OpenedClip:
    """Look through a clip. DataError where it cannot be read, or what is asked for cannot be made
    of it; UsageError where its pictures would replace what is not iid's."""
    began = time.perf_counter()
    assert target.path is not None  # stdin is a photo
    _check(target, plan)
    _check_folder(target, plan)
    opened = _opened(target.path, target.kind == SEQUENCE, plan)
    if plan.request.preview:
        notes = (*opened.notes, "no contact sheet is made of a clip")
        opened = replace(opened, notes=notes)
    return OpenedClip(target, opened, content_hash(target.path), began)


def _opened(path: Path, is_sequence: bool, plan: Plan) -> Clip:
    from intrinsic_cli.kit.files.frame_sequence import Reading, open_sequence
    from intrinsic_cli.kit.files.memory import at_most
    from intrinsic_cli.kit.files.video import open_video

    asked = plan.request
    if is_sequence:
        reading = Reading(asked.input_encoding, asked.exr_layer, asked.max_pixels)
        return open_sequence(path, asked.fps, reading)
    with at_most(asked.max_pixels):
        return open_video(path, asked.fps, asked.input_encoding)


def write_clip(plan: Plan, opened: OpenedClip, result: ClipResult) -> InputReport:
    """Put the layers in their places, and the sidecar beside them. OSError; UsageError where
    something that is not iid's lies there by now."""
    target, clip = opened.target, opened.clip
    _check_folder(target, plan)
    # From here on, what the sidecar vouched for is being replaced.
    target.sidecar.unlink(missing_ok=True)
    written = result.layers.finish(target.base)
    error = result.layers.error(clip, result.frames)
    loaded = LoadedPhoto(_about(clip), opened.sha256, opened.began)
    whole = Decomposition(loaded.photo.pixels, {}, facts=result.facts, notes=tuple(result.notes))
    plain = replace(plan, request=replace(plan.request, preview=False))
    report = put_sidecar(plain, target, loaded, whole, written, error)
    result.parts.remove()
    return report


def _check(target: Target, plan: Plan) -> None:
    """DataError for what a clip cannot be made into."""
    instead = _PHOTOS if target.kind == SEQUENCE else _PICTURES
    if plan.request.mask is not None:
        raise DataError("--mask is for photos: a clip would need one a frame", instead)
    kinds = {name: plan.choice.variant.kind(name) for name in plan.outputs}
    layers = [name for name, kind in kinds.items() if kind.is_layer]
    for name, kind in kinds.items():
        if kind.is_layer:
            continue
        hint = f"--layers {','.join(layers)} leaves it out; or {instead}" if layers else instead
        message = f"{plan.choice.title} makes a {kind.name} of each frame ({name})"
        raise DataError(f"{message}, which no clip can hold", hint)


def _check_folder(target: Target, plan: Plan) -> None:
    """UsageError where the folder of the pictures holds what iid has not written, or does not show
    what it holds."""
    if not plan.makes_frames:
        return
    folder = frames_folder(target.base)
    message = f"its layers would replace {folder}"
    files = own_files(plan.outputs, sidecar.read(target.sidecar), folder.name)
    try:
        stranger = stranger_in(folder, files)
    except OSError as error:
        hint = "choose another -o folder or --name"
        raise UsageError(
            f"{message}, which cannot be looked into: {reason(error)}", hint
        ) from error
    if stranger is not None:
        hint = "choose another -o folder or --name, or move it away"
        raise UsageError(f"{message}, and iid did not write {stranger}", hint)


def _about(clip: Clip) -> Photo:
    """What the sidecar tells of a clip as of a photo: its pixels are but a size."""
    import numpy as np

    from intrinsic_cli.kit.files.photo import Photo

    pixels = np.broadcast_to(np.float32(0), (*clip.size, 3))
    return Photo(pixels, encoding=clip.encoding, bits=clip.bits, profile=clip.profile)
