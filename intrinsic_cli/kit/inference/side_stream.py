"""Work on a device beside that of the network, by the threads that write files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from threading import Lock

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_URGENT = -1  # a strip takes a hundredth of the time of a batch, and a thread waits for it


@dataclass(frozen=True, slots=True)
class _Side:
    """What comes after each other: the work in ``stream`` (None: the device has but one)."""

    stream: torch.cuda.Stream | None
    lock: Lock = field(default_factory=Lock)


@contextmanager
def beside_network(device: torch.device) -> Iterator[None]:
    """In the block one thread at a time works on ``device``, so that no more than one strip needs
    memory there; on CUDA in a stream that does not wait for the batches of the network. All that is
    wanted of it must be :func:`on_host` when the block ends."""
    side = _side_of(device)
    with side.lock:
        if side.stream is None:
            yield
            return
        with torch.cuda.stream(side.stream):
            yield


def on_host(layers: dict[str, Tensor]) -> dict[str, NDArray[np.generic]]:
    """Layers in the memory of the CPU, into which a GPU has written them by itself."""
    copies = {}
    for name, layer in layers.items():
        copies[name] = _begun(layer)
    for layer in layers.values():
        settle(layer.device)
    return {name: copy.numpy() for name, copy in copies.items()}


def settle(device: torch.device) -> None:
    """Wait until all is done that this thread has asked of ``device``: what it made may then be
    used in any stream."""
    if device.type == "cuda":
        torch.cuda.current_stream(device).synchronize()


def _begun(layer: Tensor) -> Tensor:
    """A copy that is on its way."""
    if layer.device.type != "cuda":
        return layer.cpu()
    try:
        place = torch.empty(layer.shape, dtype=layer.dtype, pin_memory=True)
    except RuntimeError:  # the system has no more of it: any other is slower, and will do
        return layer.cpu()
    return place.copy_(layer, non_blocking=True)


@cache
def _side_of(device: torch.device) -> _Side:
    if device.type != "cuda":
        return _Side(None)
    stream = torch.cuda.Stream(device, priority=_URGENT)  # type: ignore[no-untyped-call]  # torch's
    return _Side(stream)
