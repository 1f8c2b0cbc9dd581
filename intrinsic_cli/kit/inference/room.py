"""How much of a device's memory there is room for, which is found out where it runs out."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

from intrinsic_cli.api import IidError
from intrinsic_cli.kit.files.out_of_memory import is_out_of_memory as said_in_words

Note = Callable[[str], None]

#: Photos and crops that run together at most; a photo may have any number of regions.
LARGEST_BATCH = 16
#: Pixels of a photo that a device brings to full size at once: of two layers some 550 MB, counted
#: and not measured. Fewer would keep it waiting for what it is to do next.
LARGEST_STRIP = 1 << 22


@dataclass(slots=True)
class Room:
    """How many ``photos`` of the device's memory there is room for, whether a photo of ``pixels``
    fits in whole (inf: any), and a strip of how many pixels does; all are found out once for all
    photos to come."""

    photos: int = LARGEST_BATCH
    pixels: float = math.inf
    strip: int = LARGEST_STRIP

    def fewer(self, photos: int, note: Note) -> None:
        """Memory has run out with so many ``photos``, more than one."""
        self.photos = photos // 2
        note(f"out of memory with {photos} photos at a time; going on with {self.photos}")

    def narrower(self, pixels: int, note: Note) -> None:
        """Memory has run out with a strip of so many ``pixels``."""
        if pixels > self.strip:  # another thread has said so
            return
        self.strip = pixels // 2
        megapixels = f"{pixels / 1e6:.3g} megapixels"
        note(f"out of memory with a strip of {megapixels}; going on with half as much")


def quiet(text: str) -> None:
    """Nobody is told."""


def is_out_of_memory(error: RuntimeError) -> bool:
    """CUDA says so by type, what allocates for the CPU only by words."""
    return isinstance(error, torch.OutOfMemoryError) or said_in_words(error)


def out_of_memory(device: torch.device) -> IidError:
    """What is said where nothing helps."""
    return IidError(f"{device} ran out of memory", "try a smaller photo or --device cpu")


def give_back(device: torch.device) -> None:
    """What torch keeps of a device's memory for later is free for anything."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
