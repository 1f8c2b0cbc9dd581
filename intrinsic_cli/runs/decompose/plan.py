"""A request understood: all of it that can be checked without torch and without opening a photo."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from intrinsic_cli import settings
from intrinsic_cli.api import UsageError
from intrinsic_cli.kit.files.formats import ENCODINGS, LAYER_SUFFIXES, MULTILAYER, format_name
from intrinsic_cli.kit.files.writable import check_writable
from intrinsic_cli.registry import Registry
from intrinsic_cli.requests import DEVICE, DecomposeRequest
from intrinsic_cli.runs.decompose.names import check_pattern
from intrinsic_cli.runs.session import Choice, choose

PRECISIONS = ("auto", "fp32", "bf16", "fp16")
METADATA = ("keep", "strip")
MOST_FPS = 1000
ELSEWHERE = "choose another -o folder"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done with every photo: the method chosen, the ``outputs`` wanted, and the
    ``recipe`` by which finished work is recognised."""

    request: DecomposeRequest
    choice: Choice
    outputs: tuple[str, ...]
    recipe: Mapping[str, Any]

    @property
    def makes_frames(self) -> bool:
        """Do the layers become pictures? Asked of a plan for a clip."""
        return bool(self.request.frames)

    def for_clip(self, as_frames: bool) -> Plan:
        """The plan for a clip, whose outputs depend on more. Where nothing is asked for, its layers
        become what it is, pictures or videos. (PNG is what is meant where no format is named; no
        video holds what the others do.)"""
        asked = self.request.frames
        frames = as_frames if asked is None else asked
        if self.request.format != "png":
            frames = True
        form = self.request.format if frames else "mp4"
        recipe = {**self.recipe, "format": form, "fps": self.request.fps}
        return replace(self, request=replace(self.request, frames=frames), recipe=recipe)


def make_plan(request: DecomposeRequest, registry: Registry) -> Plan:
    """Settle name, options, weights and outputs. UsageError, WeightsError."""
    request = replace(request, format=_format(request))
    _check_choices(request)
    check_pattern(request.name)
    _, variant = registry.resolve(request.method)
    _outputs(request.layers, request.method, (*variant.layers, *variant.asked_by))
    table = settings.read_toml(request.config) if request.config else {}
    choice = choose(request.method, request.options, request.weights, table, registry)
    made = variant.outputs(choice.options)
    outputs = _outputs(request.layers, request.method, made)
    check_writable(request.out, ELSEWHERE)
    more: dict[str, Any] = {
        "seed": request.seed,
        "format": request.format,
        "input_encoding": request.input_encoding,
        "exr_layer": request.exr_layer,
        "metadata": request.metadata,
    }
    return Plan(request, choice, outputs, choice.recipe(**more))


def _format(request: DecomposeRequest) -> str:
    """The format of the layers; one EXR of all layers is a format of its own. UsageError where
    another is asked for beside it."""
    form = format_name(request.format)
    if not request.exr_multilayer:
        return form
    if form not in ("png", "exr", "exr32"):
        message = f"--exr-multilayer and --format {form} do not go together"
        raise UsageError(message, "use --format exr or exr32")
    return "exr32-multilayer" if form == "exr32" else "exr-multilayer"


def _check_choices(request: DecomposeRequest) -> None:
    choices = (
        ("format", request.format, (*LAYER_SUFFIXES, *MULTILAYER)),
        ("choice of metadata", request.metadata, METADATA),
        ("input encoding", request.input_encoding, ENCODINGS),
        ("precision", request.precision, PRECISIONS),
    )
    for what, given, known in choices:
        if given not in known:
            raise UsageError(f"there is no {what} {given!r}", f"use {', '.join(known)}")
    if not re.fullmatch(DEVICE, request.device):
        message = f"there is no device called {request.device!r}"
        raise UsageError(message, "use auto, cpu, cuda, cuda:N or mps")
    if request.frames is False and request.format != "png":
        message = f"no video holds what --format {request.format} does"
        raise UsageError(message, "leave out --video, or --format")
    if request.fps is not None and not 0 < request.fps <= MOST_FPS:
        raise UsageError(f"{request.fps:g} is no number of frames a second", "try --fps 24")
    if request.batch_size is not None and request.batch_size < 1:
        raise UsageError("the batch size must be at least 1", "leave it out to have it chosen")
    if request.max_pixels is not None and request.max_pixels < 1:
        raise UsageError("the most pixels must be at least 1", "leave it out to go by memory")


def _outputs(wanted: tuple[str, ...], method: str, promised: tuple[str, ...]) -> tuple[str, ...]:
    """The outputs asked for, in the order in which the method promises them."""
    if not wanted or "all" in wanted:
        return promised
    for name in wanted:
        if name not in promised:
            raise UsageError(f"{method} has no layer {name!r}", f"layers: {', '.join(promised)}")
    return tuple(name for name in promised if name in wanted)
