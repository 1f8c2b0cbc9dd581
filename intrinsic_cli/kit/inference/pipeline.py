"""Photos through a network: cut to its frame, taken apart, brought back to full size.

A method may look at regions of a photo one by one; the crops of all photos then run together, in
batches of one size."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TypeVar

import torch

from intrinsic_cli.api import (
    Decomposer,
    Decomposition,
    IidError,
    PluginError,
    Region,
    Runtime,
)
from intrinsic_cli.kit.files.photo import Photo
from intrinsic_cli.kit.inference.answer import Kinds, Part, part_of
from intrinsic_cli.kit.inference.full_size import alpha_at_full_size, to_full_size
from intrinsic_cli.kit.inference.network import run_network
from intrinsic_cli.kit.inference.paste import joined, joined_alpha
from intrinsic_cli.kit.inference.prepare import network_size, prepare, to_image
from intrinsic_cli.kit.inference.regions import cut, find_regions
from intrinsic_cli.kit.inference.strip_photo import in_strips
from intrinsic_cli.kit.inference.strips import works_in_strips

T = TypeVar("T")

Note = Callable[[str], None]
#: The regions of a photo, None where all of it is looked at, or why there are none.
Found = Sequence[Region] | None | IidError


@dataclass(frozen=True, slots=True)
class Crop:
    """What the network is to see: a photo, or the ``region`` cut out of one."""

    photo: Photo
    region: Region | None = None

    @property
    def pixels(self) -> int:
        """How many there are."""
        height, width = self.photo.pixels.shape[:2]
        return height * width


#: Photos and crops that run together at most; a photo may have any number of regions.
LARGEST_BATCH = 16


@dataclass(slots=True)
class Room:
    """How many ``photos`` of the device's memory there is room for, and whether a photo of
    ``pixels`` fits in whole (inf: any); both are found out where memory runs out, once for all
    photos to come."""

    photos: int = LARGEST_BATCH
    pixels: float = math.inf


@dataclass(frozen=True, slots=True)
class Network:
    """A decomposer with all that its batches need; ``note`` is told of what memory forces."""

    decomposer: Decomposer
    runtime: Runtime
    kinds: Kinds
    note: Note
    room: Room

    def must_cut(self, crops: Sequence[Crop]) -> bool:
        """Is the first of ``crops`` a photo of a size that has run out of memory?"""
        return crops[0].pixels >= self.room.pixels and self._can_cut(crops[0])

    def make_room(self, crops: Sequence[Crop]) -> None:
        """Memory has run out with ``crops``: take fewer from now on, or cut the photo into strips.
        IidError where neither is possible."""
        if self.runtime.device.type == "cuda":
            torch.cuda.empty_cache()
        if len(crops) > 1:
            self.room.photos = len(crops) // 2
            now = f"{len(crops)} photos at a time; going on with {self.room.photos}"
            self.note(f"out of memory with {now}")
            return
        if not self._can_cut(crops[0]):
            raise self.out_of_memory()
        self.room.pixels = crops[0].pixels
        megapixels = f"{self.room.pixels / 1e6:.3g} megapixels"
        self.note(f"out of memory with a photo of {megapixels}; going on in strips")

    def out_of_memory(self) -> IidError:
        """What is said where nothing helps."""
        message = f"{self.runtime.device} ran out of memory"
        return IidError(message, "try a smaller photo or --device cpu")

    def _can_cut(self, crop: Crop) -> bool:
        return crop.region is None and works_in_strips(self.decomposer)


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
    parts = iter(_run(network, crops))
    results = []
    for photo, regions in zip(photos, found, strict=True):
        result = _result(decomposer, photo, regions, parts, kinds)
        results.append(_finished(decomposer, result))
    seconds = (time.perf_counter() - start) / max(1, len(photos))
    return [_timed(result, seconds) for result in results]


def is_out_of_memory(error: RuntimeError) -> bool:
    """CUDA says so by type, the CPU allocator only by words."""
    return isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error)


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


def _run(network: Network, crops: Sequence[Crop]) -> list[Part]:
    """One part a crop, in their order."""
    done: dict[int, Part] = {}
    for group in _groups(crops, network.decomposer):
        parts = _run_group(network, [crops[index] for index in group])
        done.update(zip(group, parts, strict=True))
    return [done[index] for index in range(len(crops))]


def _groups(crops: Sequence[Crop], decomposer: Decomposer) -> Iterator[list[int]]:
    """Places of crops that the network sees at one size."""
    sizes: dict[tuple[int, int], list[int]] = {}
    for index, crop in enumerate(crops):
        size = network_size(crop.photo, decomposer.frame)
        same_size = sizes.setdefault(size, [])
        same_size.append(index)
    yield from sizes.values()


def _run_group(network: Network, crops: Sequence[Crop]) -> list[Part]:
    """Crops of one size, as many at a time as there is room for."""
    parts: list[Part] = []
    while len(parts) < len(crops):
        first = len(parts)
        batch = crops[first : first + network.room.photos]
        if network.must_cut(batch):
            parts.append(_run_in_strips(network, batch[0]))
            continue
        made = _tried(network, batch)
        if made is not None:
            parts += made
        else:
            network.make_room(batch)
    return parts


def _tried(network: Network, crops: Sequence[Crop]) -> list[Part] | None:
    """The parts of one batch, None where memory runs out."""
    try:
        return _run_batch(network, crops)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            message = f"the network failed: {str(error).splitlines()[0]}"
            raise PluginError(message, "see --debug") from error
        # Leaving the block drops the traceback, and with it the tensors it holds, before the next
        # try.
        return None


def _run_in_strips(network: Network, crop: Crop) -> Part:
    """A photo too large to be brought to full size at once."""
    try:
        return in_strips(network.decomposer, crop.photo, network.runtime, network.kinds)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
    raise network.out_of_memory()


def _run_batch(network: Network, crops: Sequence[Crop]) -> list[Part]:
    decomposer, runtime, kinds = network.decomposer, network.runtime, network.kinds
    prepared = [prepare(crop.photo, decomposer.frame, runtime.device) for crop in crops]
    regions = [crop.region for crop in crops]
    outputs = run_network(decomposer, prepared, runtime, kinds, regions)
    parts = []
    for index, photo in enumerate(prepared):
        small = {name: layer[index : index + 1] for name, layer in outputs.layers.items()}
        full = to_full_size(photo, small, decomposer.frame.upsample, kinds)
        layers = {name: to_image(layer) for name, layer in full.items()}
        alpha = alpha_at_full_size(photo, outputs.alpha, index)
        parts.append(part_of(outputs, index, layers, alpha))
    return parts


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
