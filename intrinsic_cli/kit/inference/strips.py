"""Layers of a large photo, strip by strip: the network sees a small copy, and what it says is
brought to the photo's size only for the rows that are being written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from intrinsic_cli.api import Decomposer, Frame, PluginError, Runtime
from intrinsic_cli.api.outputs import FACTORS, SUMMANDS, kind_of
from intrinsic_cli.kit.inference.answer import Kinds, Part, part_of
from intrinsic_cli.kit.inference.full_size import mend_by
from intrinsic_cli.kit.inference.network import run_network
from intrinsic_cli.kit.inference.paths import Path, path_for
from intrinsic_cli.kit.inference.prepare import PreparedPhoto, to_tensor
from intrinsic_cli.kit.inference.room import Note, Room, quiet
from intrinsic_cli.kit.inference.rows import Rows
from intrinsic_cli.kit.inference.side_stream import settle
from intrinsic_cli.kit.light.dark import DarkColours, dark_colours, floored
from intrinsic_cli.kit.light.resize import fit_size, resize_width, shrunk
from intrinsic_cli.kit.light.upsample import (
    covers,
    shading_maps,
    size_of,
    upsample_rows,
)
from intrinsic_cli.kit.light.upsample_sums import rest_of, summand_maps, summand_rows

ALBEDO, SHADING = FACTORS
TRANSMISSION = SUMMANDS[0]
Layers = dict[str, Tensor]


class LargerLayerError(PluginError):
    """A layer has more pixels than the photo, which must be taken apart whole."""


def works_in_strips(decomposer: Decomposer) -> bool:
    """Does the method look at a small copy of the whole photo and no more, but perhaps at rows of
    the result? (One that sees every pixel, looks for regions or adds to the whole result needs the
    photo itself.)"""
    kind = type(decomposer)
    by_rows = decomposer.finishes_rows or not has_last_word(decomposer)
    return by_rows and kind.regions is Decomposer.regions and decomposer.frame.size is not None


def has_last_word(decomposer: Decomposer) -> bool:
    """Does the method do something of its own in ``finished``?"""
    return type(decomposer).finished is not Decomposer.finished


def make_strips(
    decomposer: Decomposer, photo: Rows, runtime: Runtime, kinds: Kinds
) -> tuple[Strips, Part]:
    """What the network says of a small copy of ``photo``, ready to be brought to full size; and all
    that is no layer. LargerLayerError."""
    shown = small_photo(photo, decomposer.frame, runtime.device)
    outputs = run_network(decomposer, [shown], runtime, kinds)
    strips = strips_of(photo, shown, outputs.layers, decomposer.frame.upsample, kinds)
    return strips, part_of(outputs, 0, {})


def small_photo(photo: Rows, frame: Frame, device: torch.device) -> PreparedPhoto:
    """A small copy in the place of the photo itself."""
    to = fit_size(*photo.size, frame)
    small = small_copy(photo, to, device)
    alpha = small.new_ones((1, 1, 1, 1))
    if frame.alpha:
        alpha = _small_alpha(photo, to, device)
    return PreparedPhoto(small, small, alpha, photo.exposure, photo.size, photo.noise)


def strips_of(
    photo: Rows,
    shown: PreparedPhoto,
    layers: Mapping[str, Tensor],
    upsample: str,
    kinds: Kinds,
) -> Strips:
    """The small ``layers`` [1,C,h,w] of a photo that was ``shown``, ready to be brought to its
    size. LargerLayerError."""
    device = shown.small.device
    if any(covers(layer, photo.size) for layer in layers.values()):
        raise LargerLayerError("the method gave a layer that is larger than a large photo")
    guides = {size_of(shown.small): shown.small}
    for size in {size_of(layer) for layer in layers.values()} - set(guides):
        guides[size] = small_copy(photo, size, device)
    strips = _upsampled_by(guides, layers, shown, upsample, kinds)
    settle(device)
    return replace(strips, exposure=photo.exposure)


def small_copy(photo: Rows, to: tuple[int, int], device: torch.device) -> Tensor:
    """The photo at a smaller size, [1,3,h,w]."""
    pixels = path_for(device).pixels
    return shrunk(lambda rows: to_tensor(photo.planes(rows), device), photo.size, to, pixels)


def _small_alpha(photo: Rows, to: tuple[int, int], device: torch.device) -> Tensor:
    """Where the object is, [1,1,h,w]: 1 everywhere in a photo without alpha."""
    if not photo.has_alpha:
        return torch.ones((1, 1, *to), device=device)

    def read(rows: slice) -> Tensor:
        alpha = photo.alpha(rows)
        assert alpha is not None  # it has alpha in all rows
        return to_tensor(alpha[None], device)

    return shrunk(read, photo.size, to)


@dataclass(frozen=True, slots=True)
class Strips:
    """Small layers [1,C,h,w] of a photo divided by its ``exposure``, and the maps by which some
    follow its edges; ``finish`` has the last word on rows of the photo and its layers, in their own
    light (None: nobody). ``note`` is told where the ``room`` of their device becomes less."""

    small: Mapping[str, Tensor]
    maps: Mapping[str, Tensor]
    size: tuple[int, int]
    divides: bool
    subtracts: bool
    kinds: Kinds
    dark: DarkColours | None = None
    exposure: float = 1.0
    finish: Callable[[Tensor, Layers], Layers] | None = None
    room: Room = field(default_factory=Room)
    note: Note = quiet

    @property
    def device(self) -> torch.device:
        """Where they are."""
        layers = {**self.maps, **self.small}
        return next(iter(layers.values())).device

    @property
    def path(self) -> Path:
        """How rows are made of them."""
        return path_for(self.device)

    @torch.inference_mode()
    def widened(self) -> Strips:
        """The same, as wide as the photo already: widening their rows anew for each band took most
        of the time."""
        width = self.size[1]
        dark = self.dark
        if dark is not None:
            dark = dark.widened(width)
        small = {name: resize_width(layer, width) for name, layer in self.small.items()}
        maps = {name: resize_width(layer, width) for name, layer in self.maps.items()}
        return replace(self, small=small, maps=maps, dark=dark)

    def rows(self, shown: Tensor, rows: slice) -> Layers:
        """The ``rows`` of all layers in the photo's own light, each [1,C,len(rows),W]; ``shown``
        are those of the photo, divided by its exposure."""
        made = self._made(shown, rows)
        if self.exposure != 1.0:
            for name, layer in made.items():
                made[name] = self._in_its_light(name, layer)
        if self.finish is None:
            return made
        return self.finish(shown * self.exposure, made)

    def _made(self, shown: Tensor, rows: slice) -> Layers:
        """The same, divided by the exposure."""
        made = {name: self._plain(name, layer, rows) for name, layer in self.small.items()}
        if self.divides:
            made[SHADING] = self.path.shading_rows(self.maps[SHADING], shown, rows, self.size)
            diffuse = self._diffuse(shown, made)
            made[ALBEDO] = diffuse / made[SHADING]  # which is at least FLOOR already
            if self.dark is not None:
                mend = partial(self.dark.mend, diffuse, rows=rows, size=self.size)
                mend_by(mend, diffuse, made, self.kinds)
        if self.subtracts:
            parts = {
                name: summand_rows(maps, shown, rows, self.size) for name, maps in self.maps.items()
            }
            made |= {TRANSMISSION: rest_of(shown, parts.values()), **parts}
        return made

    def _plain(self, name: str, layer: Tensor, rows: slice) -> Tensor:
        full = upsample_rows(layer, rows, self.size)
        if kind_of(name, self.kinds).resize == "unit":
            full = functional.normalize(full, dim=1)
        return full

    def _in_its_light(self, name: str, layer: Tensor) -> Tensor:
        """Layers of light grow with the photo's exposure."""
        follows = kind_of(name, self.kinds).follows_exposure
        return layer * self.exposure if follows else layer

    def _diffuse(self, shown: Tensor, made: Layers) -> Tensor:
        """The photo without what residuals explain."""
        for name, layer in made.items():
            if kind_of(name, self.kinds).name == "residual":
                shown = (shown - layer).clamp(min=0.0)
        return shown


@torch.inference_mode()
def _upsampled_by(
    guides: Mapping[tuple[int, int], Tensor],
    layers: Mapping[str, Tensor],
    shown: PreparedPhoto,
    upsample: str,
    kinds: Kinds,
) -> Strips:
    """From small layers, and the photo at their sizes, to :class:`Strips` of the size of the photo
    that was ``shown``."""
    divides = upsample == "divide" and SHADING in layers
    subtracts = upsample == "subtract"
    maps, plain, dark = {}, {}, None
    for name, layer in layers.items():
        guide = guides[size_of(layer)]
        if divides and name == SHADING:
            shading = floored(layer, shown.noise)
            maps[name] = shading_maps(guide, shading)
            dark = dark_colours(shown.small, shading, shown.noise)
        elif subtracts and name in SUMMANDS[1:]:
            maps[name] = summand_maps(guide, layer)
        elif not (divides and name == ALBEDO) and not (subtracts and name == TRANSMISSION):
            plain[name] = layer
    return Strips(plain, maps, shown.size, divides, subtracts, kinds, dark)
