"""What is made of a photo when its light is to move: the photo relit, a turning light, the steps
between two lights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from torch import Tensor

from iid_residual.portrait import Portrait, portrait_of
from iid_residual.relight import Wanted
from iid_residual.relit import relit
from iid_residual.settings import ResidualOptions
from intrinsic_cli.api import Animation, Decomposition, UsageError
from intrinsic_cli.kit.files.animations import require_mp4

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

RELIT, TURN, STEPS = "relit", "turn", "steps"
#: The longer side of the pictures of an animation, and of one step, pixels.
_FILM, _STEP = 384, 256
_ROW = 8  # steps side by side at most
_GAP = 4  # pixels between them

Lights = Callable[[Tensor, int], Iterator[Tensor]]


def add_relit(wanted: Wanted, result: Decomposition, options: ResidualOptions) -> Decomposition:
    """The decomposition with what the options ask for."""
    portrait = portrait_of(result)
    if options.light or options.ambient >= 0:
        lights = [wanted.light_for(face.light) for face in portrait.faces]
        layers = {**result.layers, RELIT: relit(portrait, lights)}
        result = replace(result, layers=layers)
    if options.turn:
        pictures = _under_each(portrait.closer(_FILM), wanted.turning, options.turn)
        film = Animation(np.stack(pictures), form_of(options))
        animations = {**result.animations, TURN: [film]}
        result = replace(result, animations=animations)
    if options.steps:
        steps = _under_each(portrait.closer(_STEP), wanted.passing, options.steps)
        textures = {**result.textures, STEPS: [_in_rows(steps)]}
        result = replace(result, textures=textures)
    return result


def form_of(options: ResidualOptions) -> Literal["gif", "mp4"]:
    """What the turn of the light is written as. UsageError where it cannot be, or there is no
    turn."""
    if options.film == "gif":
        return "gif"
    if not options.turn:
        raise UsageError("film=mp4 is for the light's turn", "add -O turn=36")
    require_mp4()
    return "mp4"


def _under_each(portrait: Portrait, lights: Lights, count: int) -> list[Image]:
    """The portrait under ``count`` lights."""
    of_faces = [list(lights(face.light, count)) for face in portrait.faces]
    return [relit(portrait, together) for together in zip(*of_faces, strict=True)]


def _in_rows(pictures: Sequence[Image]) -> Image:
    """Pictures [h,w,3] of one size in rows, on white."""
    white = np.ones_like(pictures[0])
    gap = ((0, _GAP), (0, _GAP), (0, 0))
    rows = -(-len(pictures) // _ROW)
    columns = -(-len(pictures) // rows)
    lines = []
    for first in range(0, len(pictures), columns):
        line = list(pictures[first : first + columns])
        line += [white] * (columns - len(line))
        framed = [np.pad(picture, gap, constant_values=1.0) for picture in line]
        lines.append(np.concatenate(framed, axis=1))
    sheet = np.concatenate(lines)
    return np.ascontiguousarray(sheet[:-_GAP, :-_GAP])
