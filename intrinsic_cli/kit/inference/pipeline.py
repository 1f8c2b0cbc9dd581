"""Photos through a network: cut to its frame, taken apart, brought back to full size.

A method may look at regions of a photo one by one; the crops of all photos then run together, in
batches of one size."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TypeVar

import torch

from intrinsic_cli.api import Decomposer, Decomposition, IidError, Region, Runtime
from intrinsic_cli.kit.files.photo import Photo
from intrinsic_cli.kit.inference.answer import Kinds, Part
from intrinsic_cli.kit.inference.batches import Crop, Network, run_batches
from intrinsic_cli.kit.inference.paste import joined, joined_alpha
from intrinsic_cli.kit.inference.regions import cut, find_regions
from intrinsic_cli.kit.inference.room import Note, Room

T = TypeVar("T")

#: The regions of a photo, None where all of it is looked at, or why there are none.
Found = Sequence[Region] | None | IidError


def decompose_photo(
    decomposer: Decomposer, photo: Photo, runtime: Runtime, kinds: Kinds | None = None
) -> Decomposition:
    """Take one photo apart; layers come back at the photo's size. ``kinds`` are
    ``Variant.kinds``."""
    return decompose_photos(decomposer, [photo], runtime, kinds)[0]


def decompose_photos(
    decomposer: Decomposer,
    photos: Sequence[Photo],
    runtime: Runtime,
    kinds: Kinds | None = None,
    note: Note = lambda text: None,
) -> list[Decomposition]:
    """Take photos apart together. DataError where the method finds nothing to look at in one of
    them. When memory runs out the batch is halved and ``note`` is told."""
    results = []
    for result in try_photos(decomposer, photos, runtime, kinds, note):
        if isinstance(result, IidError):
            raise result
        results.append(result)
    return results


@torch.inference_mode()
def try_photos(
    decomposer: Decomposer,
    photos: Sequence[Photo],
    runtime: Runtime,
    kinds: Kinds | None = None,
    note: Note = lambda text: None,
    room: Room | None = None,
) -> list[Decomposition | IidError]:
    """As :func:`decompose_photos`, with the error of each photo that has nothing to look at in its
    place. What the network itself does wrong is raised. ``room`` is kept from call to call."""
    start = time.perf_counter()
    kinds = kinds or {}
    network = Network(decomposer, runtime, kinds, note, room or Room())
    found = [_look(decomposer, photo) for photo in photos]
    crops: list[Crop] = []
    for photo, regions in zip(photos, found, strict=True):
        crops += _crops(photo, regions)
    parts = iter(run_batches(network, crops))
    results = []
    for photo, regions in zip(photos, found, strict=True):
        result = _result(decomposer, photo, regions, parts, kinds)
        results.append(_finished(decomposer, result))
    seconds = (time.perf_counter() - start) / max(1, len(photos))
    return [_timed(result, seconds) for result in results]


def _look(decomposer: Decomposer, photo: Photo) -> Found:
    try:
        return find_regions(decomposer, photo)
    except IidError as error:
        return error


def _crops(photo: Photo, regions: Found) -> list[Crop]:
    """What the network is to see of one photo."""
    if isinstance(regions, IidError):
        return []
    if regions is None:
        return [Crop(photo)]
    return [Crop(cut(photo, region), region) for region in regions]


def _result(
    decomposer: Decomposer, photo: Photo, found: Found, parts: Iterator[Part], kinds: Kinds
) -> Decomposition | IidError:
    """One photo taken apart; takes as many of ``parts`` as it had crops."""
    if isinstance(found, IidError):
        return found
    facts = {"clipped": photo.clipped, "repaired": photo.repaired}
    if found is not None:
        mine = list(islice(parts, len(found)))
        result = joined(decomposer, photo, found, mine, kinds)
        return replace(result, facts=facts)
    part = next(parts)
    return Decomposition(
        photo.pixels,
        part.layers,
        joined_alpha(photo, part),
        meshes=_each_once(part.meshes),
        textures=_each_once(part.textures),
        records=part.records,
        animations=_each_once(part.animations),
        facts={**facts, **part.facts},
        notes=tuple(part.notes),
    )


def _finished(decomposer: Decomposer, result: Decomposition | IidError) -> Decomposition | IidError:
    if isinstance(result, IidError):
        return result
    try:
        return decomposer.finished(result)
    except IidError as error:
        return error


def _each_once(outputs: Mapping[str, T]) -> dict[str, list[T]]:
    return {name: [output] for name, output in outputs.items()}


def _timed(result: Decomposition | IidError, seconds: float) -> Decomposition | IidError:
    if isinstance(result, IidError):
        return result
    return replace(result, facts={"seconds": seconds, **result.facts})
