"""How photos get to a device as light, and layers back from it as codes: on the CPU by its own fast
code, on any other device by torch. Whoever has to do with either asks here which it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor

from intrinsic_cli.api.outputs import Kind
from intrinsic_cli.kit.files.photo_rows import PhotoRows
from intrinsic_cli.kit.inference import upsample_cpu
from intrinsic_cli.kit.inference.device_layers import device_layers
from intrinsic_cli.kit.inference.device_rows import DeviceRows
from intrinsic_cli.kit.inference.room import LARGEST_STRIP
from intrinsic_cli.kit.inference.strip_layers import Band, strip_layers
from intrinsic_cli.kit.light import upsample

if TYPE_CHECKING:
    from intrinsic_cli.kit.inference.strips import Rows, Strips

#: Types of devices with code of their own.
OWN = ("cpu",)


class CodedLayers(Protocol):
    """All layers of a photo as codes of ``bits``, by their ``scales``."""

    @property
    def photo(self) -> Rows:
        """The photo."""

    @property
    def strips(self) -> Strips:
        """What the layers are made of."""

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """Of each layer."""

    @property
    def bits(self) -> int:
        """8 or 16."""

    @property
    def scales(self) -> Mapping[str, float]:
        """Of the codes of each layer: 1 where its kind has none."""

    def bands(self) -> Iterator[Band]:
        """Rows, from the first to the last, and the codes [n,W,C] of each layer there. All bands
        but the last have as many rows, a multiple of a JPEG's squares. To be asked once."""


@dataclass(frozen=True, slots=True)
class Path:
    """``bring(photo, device)`` is the photo for whom its light is wanted on the device;
    ``any_size``: also of photos that would fit into memory. Light is wanted of about so many
    ``pixels`` at a time (None: what suits the CPU's cache). ``shading_rows`` and
    ``upsample_shading`` are those of :mod:`~intrinsic_cli.kit.light.upsample`, and ``layers(photo,
    strips, kinds, bits)`` what is made of strips."""

    bring: Callable[[PhotoRows, torch.device], Rows]
    any_size: bool
    pixels: int | None
    shading_rows: Callable[[Tensor, Tensor, slice, tuple[int, int]], Tensor]
    upsample_shading: Callable[[Tensor, Tensor, Tensor | None], Tensor]
    layers: Callable[[Any, Strips, Mapping[str, Kind], int], CodedLayers]


def _as_it_is(photo: PhotoRows, device: torch.device) -> Rows:
    return photo


CPU_PATH = Path(
    bring=_as_it_is,
    any_size=False,
    pixels=None,
    shading_rows=upsample_cpu.shading_rows,
    upsample_shading=upsample_cpu.upsample_shading,
    layers=strip_layers,
)
DEVICE_PATH = Path(
    bring=DeviceRows,
    any_size=True,
    pixels=LARGEST_STRIP,
    shading_rows=upsample.shading_rows,
    upsample_shading=upsample.upsample_shading,
    layers=device_layers,
)


def path_for(device: torch.device) -> Path:
    """The one that belongs to the type of a device."""
    return CPU_PATH if device.type in OWN else DEVICE_PATH
