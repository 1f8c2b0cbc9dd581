"""Photos and crops in batches, of one size for most methods, as many at a time as memory holds; a
photo that it does not hold goes by strips."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from intrinsic_cli.api import Decomposer, Outputs, PluginError, Region, Runtime
from intrinsic_cli.kit.files.photo import Photo
from intrinsic_cli.kit.inference.answer import Kinds, Part, part_of
from intrinsic_cli.kit.inference.full_size import alpha_at_full_size, to_full_size
from intrinsic_cli.kit.inference.network import run_network, run_network_on_each
from intrinsic_cli.kit.inference.prepare import PreparedPhoto, network_size, prepare, to_image
from intrinsic_cli.kit.inference.room import (
    Note,
    Room,
    give_back,
    is_out_of_memory,
    out_of_memory,
)
from intrinsic_cli.kit.inference.strip_photo import in_strips
from intrinsic_cli.kit.inference.strips import works_in_strips

#: How many times as many pixels as the network sees a photo has that is worth cutting.
_WORTH = 2


@dataclass(frozen=True, slots=True)
class Crop:
    """What the network is to see: a photo, or the ``region`` cut out of one."""

    photo: Photo
    region: Region | None = None

    @property
    def pixels(self) -> int:
        """How many there are."""
        return self.photo.pixels[..., 0].size


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
        give_back(self.runtime.device)
        if len(crops) > 1:
            self.room.fewer(len(crops), self.note)
            return
        if not self._can_cut(crops[0]):
            raise out_of_memory(self.runtime.device)
        self.room.pixels = crops[0].pixels
        megapixels = f"{self.room.pixels / 1e6:.3g} megapixels"
        self.note(f"out of memory with a photo of {megapixels}; going on in strips")

    def _can_cut(self, crop: Crop) -> bool:
        height, width = network_size(crop.photo, self.decomposer.frame)
        large = crop.pixels > _WORTH * height * width
        return large and crop.region is None and works_in_strips(self.decomposer)


def run_batches(network: Network, crops: Sequence[Crop]) -> list[Part]:
    """One part a crop, in their order."""
    done: dict[int, Part] = {}
    for group in _groups(crops, network.decomposer):
        same_size = [crops[index] for index in group]
        parts = _run_group(network, same_size)
        numbered = zip(group, parts, strict=True)
        done.update(numbered)
    return [done[index] for index in range(len(crops))]


def _groups(crops: Sequence[Crop], decomposer: Decomposer) -> Iterator[list[int]]:
    """Places of crops that can run together: all, or those that the network sees at one size."""
    if decomposer.mixes_sizes and crops:
        yield list(range(len(crops)))
        return
    yield from places_by_size([network_size(crop.photo, decomposer.frame) for crop in crops])


def places_by_size(sizes: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
    """The places of each size among ``sizes``."""
    places: dict[tuple[int, int], list[int]] = {}
    for index, size in enumerate(sizes):
        of_that_size = places.setdefault(size, [])
        of_that_size.append(index)
    yield from places.values()


def _run_group(network: Network, crops: Sequence[Crop]) -> list[Part]:
    """Crops that can run together, as many at a time as there is room for."""
    parts: list[Part] = []
    while len(parts) < len(crops):
        first = len(parts)
        batch = crops[first : first + network.room.photos]
        if network.must_cut(batch):
            parts.append(_run_in_strips(network, batch[0]))
            continue
        made = _try_batch(network, batch)
        if made is not None:
            parts += made
        else:
            network.make_room(batch)
    return parts


def _try_batch(network: Network, crops: Sequence[Crop]) -> list[Part] | None:
    """The parts of one batch, None where memory runs out."""
    try:
        return _run_batch(network, crops)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise network_failed(error) from error
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
    raise out_of_memory(network.runtime.device)


def _run_batch(network: Network, crops: Sequence[Crop]) -> list[Part]:
    frame, runtime = network.decomposer.frame, network.runtime
    prepared, regions = [], []
    for crop in crops:
        photo = prepare(crop.photo, frame, runtime.device)
        prepared.append(photo)
        regions.append(crop.region)
    if network.decomposer.mixes_sizes:
        return _run_unlike(network, prepared, regions)
    outputs = run_network(network.decomposer, prepared, runtime, network.kinds, regions)
    parts = []
    for index, photo in enumerate(prepared):
        part = _part(network, outputs, index, photo)
        parts.append(part)
    return parts


def _run_unlike(
    network: Network, photos: Sequence[PreparedPhoto], regions: Sequence[Region | None]
) -> list[Part]:
    """The parts of photos of unlike sizes."""
    decomposer, runtime, kinds = network.decomposer, network.runtime, network.kinds
    answers = run_network_on_each(decomposer, photos, runtime, kinds, regions)
    pairs = zip(answers, photos, strict=True)
    return [_part(network, answer, 0, photo) for answer, photo in pairs]


def _part(network: Network, outputs: Outputs, index: int, photo: PreparedPhoto) -> Part:
    """What was made of one photo of the batch, at its full size."""
    upsample = network.decomposer.frame.upsample
    mine = slice(index, index + 1)
    small, layers = {}, {}
    for name, layer in outputs.layers.items():
        small[name] = layer[mine]
    full = to_full_size(photo, small, upsample, network.kinds)
    for name, layer in full.items():
        layers[name] = to_image(layer)
    alpha = alpha_at_full_size(photo, outputs.alpha, index)
    return part_of(outputs, index, layers, alpha)


def network_failed(error: RuntimeError) -> PluginError:
    """What is said of an error in a method's own code."""
    return PluginError(f"the network failed: {str(error).splitlines()[0]}", "see --debug")
