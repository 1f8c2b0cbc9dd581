"""The network shown small copies of several large photos together, as many as memory holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from torch import Tensor

from intrinsic_cli.kit.inference.answer import Part, part_of
from intrinsic_cli.kit.inference.batches import Network, network_failed, places_by_size
from intrinsic_cli.kit.inference.finished_rows import finished_rows
from intrinsic_cli.kit.inference.network import run_network
from intrinsic_cli.kit.inference.room import give_back, is_out_of_memory, out_of_memory
from intrinsic_cli.kit.inference.rows import Rows
from intrinsic_cli.kit.inference.strips import Strips, has_last_word, small_photo, strips_of
from intrinsic_cli.kit.light.resize import fit_size

#: Layers to be of one photo, and all that is no layer.
Made = tuple[Strips, Part]


def make_strips_of(network: Network, photos: Sequence[Rows]) -> list[Made]:
    """As :func:`~intrinsic_cli.kit.inference.strips.make_strips`, for each of ``photos``: those
    that the network sees at one size together. IidError where memory does not hold one."""
    frame = network.decomposer.frame
    done: dict[int, Made] = {}
    for places in places_by_size([fit_size(*photo.size, frame) for photo in photos]):
        left = list(places)
        while left:
            now = left[: network.room.photos]
            made = _try_batch(network, [photos[place] for place in now])
            if made is None:
                _make_room(network, len(now))
                continue
            done.update(zip(now, made, strict=True))
            left = left[len(now) :]
    return [done[place] for place in range(len(photos))]


def _make_room(network: Network, photos: int) -> None:
    """Memory has run out with so many."""
    device = network.runtime.device
    give_back(device)
    if photos == 1:
        raise out_of_memory(device)
    network.room.fewer(photos, network.note)


def _try_batch(network: Network, photos: Sequence[Rows]) -> list[Made] | None:
    """None where memory runs out."""
    try:
        return _run_batch(network, photos)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise network_failed(error) from error
        return None


def _run_batch(network: Network, photos: Sequence[Rows]) -> list[Made]:
    """Photos of one size for the network."""
    frame, runtime, kinds = network.decomposer.frame, network.runtime, network.kinds
    shown = [small_photo(photo, frame, runtime.device) for photo in photos]
    outputs = run_network(network.decomposer, shown, runtime, kinds)
    made = []
    finish = None
    if has_last_word(network.decomposer):
        finish = partial(finished_rows, network.decomposer)
    for index, photo in enumerate(photos):
        layers = _nth(outputs.layers, index)
        strips = strips_of(photo, shown[index], layers, frame.upsample, kinds)
        strips = replace(strips, finish=finish, room=network.room, note=network.note)
        part = part_of(outputs, index, {})
        made.append((strips, part))
    return made


def _nth(layers: Mapping[str, Tensor], index: int) -> dict[str, Tensor]:
    """Those of one photo of a batch."""
    mine = slice(index, index + 1)
    return {name: layer[mine] for name, layer in layers.items()}
