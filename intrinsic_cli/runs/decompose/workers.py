"""How many photos are read ahead, worked on together and written behind on this machine."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from intrinsic_cli.kit.files.available_cores import cores_here
from intrinsic_cli.kit.files.memory import BYTES_PER_PIXEL, memory

if TYPE_CHECKING:
    import torch

    from intrinsic_cli.kit.inference.stream import Workers

#: Memory of a GPU that a pixel takes: photo, shading and albedo in floats, and bands of all three.
BYTES_ON_DEVICE = 48
#: The part of a memory that one batch may fill; more photos are read and written meanwhile.
PART = 4
#: Memory that each photo on its way to its files may take.
WRITTEN = 1 << 30
#: Pixels that photos on their way to their files may have, for each that writes: two photos of 12
#: megapixels together took 850 MB, and a larger one goes alone.
PIXELS_WRITTEN = 13_000_000
#: Names of mallopt(3), and what is said of them: how much free memory is kept, pieces of what size
#: are always asked of the system, and how many stores of free memory there are.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_KEPT, _PIECE, _ARENAS = 1 << 30, 32 << 20, 1


def choose_workers(device: torch.device, batch: int | None, cores: int) -> Workers:
    """``batch`` is what was asked for, None: on the CPU one photo, on a GPU as many as fit.

    The network has the GPU to itself. On the CPU it takes all ``cores``, and a quarter as many
    threads as there are take turns with it, but two where there are two cores: of small photos
    what they do is about as much of the work, of large ones more."""
    from intrinsic_cli.kit.inference.room import LARGEST_BATCH
    from intrinsic_cli.kit.inference.stream import Workers

    most = max(1, memory() // WRITTEN)
    if device.type != "cuda":
        writers = min(most, max(min(2, cores), cores // 4))
        return Workers(batch=batch or 1, writers=writers, written=writers * PIXELS_WRITTEN)
    readers = max(1, cores // 4)
    # Encoding takes about three times as long as decoding.
    writers = min(most, max(1, cores * 3 // 4))
    written = writers * PIXELS_WRITTEN
    if batch is not None:
        return Workers(readers, batch, writers, written=written)
    return Workers(readers, LARGEST_BATCH, writers, _pixels_of_a_batch(device), written)


def photos_at_a_time(device: torch.device, asked: int | None, pixels: int) -> int:
    """How many photos of so many ``pixels`` each are worked on together."""
    workers = choose_workers(device, asked, cores_here())
    if workers.pixels is None:
        return workers.batch
    return max(1, min(workers.batch, workers.pixels // pixels))


def leave_cores() -> None:
    """Threads of the network that wait for each other leave their cores to those that read and
    write; said before torch is imported, unless the user has said something else."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def keep_memory() -> None:
    """Memory that was given back stays with the process for what comes next: fetching it anew from
    the system for each band of a large photo took a fifth of the time. All threads share it: where
    each kept its own, a folder of 12 megapixels took a third more. Only the C library of most
    Linuxes returns it so eagerly, and can be told."""
    import ctypes

    if not sys.platform.startswith("linux"):
        return
    with suppress(AttributeError):
        tell = ctypes.CDLL(None).mallopt
        tell(_TRIM_THRESHOLD, _KEPT)
        tell(_MMAP_THRESHOLD, _PIECE)
        tell(_ARENA_MAX, _ARENAS)


def _pixels_of_a_batch(device: torch.device) -> int:
    """As many as the GPU's memory and this machine's have room for."""
    from torch import cuda

    free, _ = cuda.mem_get_info(device)
    return int(min(free // BYTES_ON_DEVICE, memory() // BYTES_PER_PIXEL) // PART)
