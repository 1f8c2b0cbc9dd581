"""What a network answered, checked by the kinds of its outputs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from intrinsic_cli.api import Animation, Mesh, Outputs, PluginError
from intrinsic_cli.api.outputs import kind_of

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

#: Own kinds of a method's outputs by name: ``Variant.kinds``.
Kinds = Mapping[str, str]


@dataclass(slots=True)
class Part:
    """What was made of one photo, or of one region of a photo: layers [H,W,C] at its size, and one
    of each other output. ``alpha`` [H,W] is where the layers hold, None everywhere; ``notes`` are
    sentences to be read."""

    layers: Mapping[str, Image] = field(default_factory=dict)
    meshes: Mapping[str, Mesh] = field(default_factory=dict)
    textures: Mapping[str, Image] = field(default_factory=dict)
    records: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    animations: Mapping[str, Image | Animation] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()
    alpha: Image | None = None


def checked(answer: Outputs | Mapping[str, Tensor], batch: int, kinds: Kinds) -> Outputs:
    """The answer for ``batch`` photos, its layers in float32. PluginError where it is none."""
    outputs = answer if isinstance(answer, Outputs) else _short_form(answer)
    for name, values in _lists(outputs):
        _check_count(name, values, batch)
    for name in outputs.layers:
        _check_place(name, "layer", kinds)
    layers = {
        name: _checked_layer(name, layer, batch, kinds) for name, layer in outputs.layers.items()
    }
    _check_each(outputs.meshes, "mesh", kinds)
    _check_each(outputs.textures, "texture", kinds)
    _check_each(outputs.records, "record", kinds)
    _check_each(outputs.animations, "animation", kinds)
    return Outputs(
        layers,
        outputs.meshes,
        outputs.textures,
        outputs.records,
        outputs.animations,
        outputs.facts,
        _checked_notes(outputs.notes),
        _checked_alpha(outputs.alpha, batch),
    )


def part_of(
    outputs: Outputs, index: int, layers: Mapping[str, Image], alpha: Image | None = None
) -> Part:
    """Everything that belongs to one photo of the batch, with its ``layers`` and their ``alpha`` at
    full size."""
    return Part(
        layers,
        _nth(outputs.meshes, index),
        _nth(outputs.textures, index),
        _nth(outputs.records, index),
        _nth(outputs.animations, index),
        outputs.facts[index] if outputs.facts else {},
        outputs.notes[index] if outputs.notes else (),
        alpha,
    )


def _nth(lists: Mapping[str, Sequence[Any]], index: int) -> dict[str, Any]:
    return {name: values[index] for name, values in lists.items()}


def _short_form(answer: Any) -> Outputs:
    if not isinstance(answer, Mapping):
        message = f"the method answered with {type(answer).__name__}"
        raise PluginError(message, "a decomposer returns Outputs, or layers by name")
    return Outputs(layers=answer)


def _lists(outputs: Outputs) -> Iterator[tuple[str, Any]]:
    """All that has an entry a photo."""
    for place in (outputs.meshes, outputs.textures, outputs.records, outputs.animations):
        yield from place.items()
    if outputs.facts:
        yield "facts", outputs.facts
    if outputs.notes:
        yield "notes", outputs.notes


def _check_count(name: str, values: Any, batch: int) -> None:
    if isinstance(values, str) or not isinstance(values, Sequence):
        raise PluginError(f"the method gave no list of {name!r} with an entry a photo")
    if len(values) != batch:
        raise PluginError(f"the method gave {len(values)} {name!r} for {batch} photos")


def _check_place(name: str, place: str, kinds: Kinds) -> None:
    """A layer must be of a kind that is a picture of the photo's size, a mesh of the kind mesh."""
    kind = kind_of(name, kinds)
    fits = kind.is_layer if place == "layer" else kind.name == place
    if not fits:
        raise PluginError(f"the method gave {name!r} as a {place}, but it is a {kind.name}")


def _checked_layer(name: str, layer: Any, batch: int, kinds: Kinds) -> Tensor:
    if not isinstance(layer, Tensor):
        message = f"the method gave layer {name!r} as {type(layer).__name__}"
        raise PluginError(message, "layers are tensors; meshes and records go into Outputs")
    channels = kind_of(name, kinds).channels
    if layer.ndim != 4 or layer.shape[0] != batch or layer.shape[1] not in channels:
        wanted = " or ".join(map(str, channels))
        shape = tuple(layer.shape)
        raise PluginError(f"the method gave layer {name!r} as {shape}, not [{batch},{wanted},H,W]")
    if not torch.isfinite(layer).all():
        raise PluginError(f"the method gave layer {name!r} with values that are not finite")
    return layer.float()


def _checked_notes(notes: Sequence[Any]) -> Sequence[Sequence[str]]:
    for each in notes:
        listed = isinstance(each, tuple | list)
        if not listed or not all(isinstance(note, str) for note in each):
            raise PluginError(f"the method gave {each!r} as the notes on a photo, no sentences")
    return notes


def _checked_alpha(alpha: Any, batch: int) -> Tensor | None:
    return None if alpha is None else _checked_layer("mask", alpha, batch, {}).clamp(0, 1)


def _check_each(lists: Mapping[str, Sequence[Any]], place: str, kinds: Kinds) -> None:
    """Every entry of every list of one kind."""
    for name, values in lists.items():
        _check_place(name, place, kinds)
        for value in values:
            wrong = _CHECKS[place](value)
            if wrong:
                raise PluginError(f"the method gave the {place} {name!r} {wrong}")


def _wrong_mesh(mesh: Any) -> str:
    """What is wrong with a mesh, "" if nothing is."""
    if not isinstance(mesh, Mesh):
        return f"as {type(mesh).__name__}"
    vertices, faces = np.asarray(mesh.vertices), np.asarray(mesh.faces)
    if vertices.ndim != 2 or vertices.shape[1] != 3 or not len(vertices):
        return f"with vertices {vertices.shape}, not [V,3]"
    if faces.ndim != 2 or faces.shape[1] != 3 or faces.dtype.kind not in "iu":
        return f"with faces {faces.shape} {faces.dtype}, not [F,3] of whole numbers"
    if not np.isfinite(vertices).all():
        return "with vertices that are not finite"
    if faces.size and not 0 <= faces.min() <= faces.max() < len(vertices):
        return "with faces of vertices that do not exist"
    return ""


def _wrong_texture(texture: Any) -> str:
    return _wrong_pictures(np.asarray(texture), 3, "[h,w,3]")


def _wrong_animation(animation: Any) -> str:
    pictures = animation.pictures if isinstance(animation, Animation) else animation
    return _wrong_pictures(np.asarray(pictures), 4, "[T,h,w,3]")


def _wrong_pictures(values: Any, dimensions: int, wanted: str) -> str:
    if values.ndim != dimensions or values.shape[-1] != 3 or not values.size:
        return f"as {values.shape}, not {wanted}"
    if values.dtype.kind != "f":
        return f"as {values.dtype}, not linear floats"
    return "" if np.isfinite(values).all() else "with values that are not finite"


def _wrong_record(record: Any) -> str:
    if not isinstance(record, Mapping):
        return f"as {type(record).__name__}, not by name"
    try:
        json.dumps(record, allow_nan=False)
    except (TypeError, ValueError) as error:
        return f"with what JSON cannot hold: {error}"
    return ""


_CHECKS = {
    "mesh": _wrong_mesh,
    "texture": _wrong_texture,
    "record": _wrong_record,
    "animation": _wrong_animation,
}
