"""How photos get to a device as light, and layers back from it as codes: on the CPU by its own fast
code, on any other device by torch. Whoever has to do with either asks here which it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from intrinsic_cli.kit.files.float_rows import FloatRows
from intrinsic_cli.kit.files.photo_rows import PhotoRows
from intrinsic_cli.kit.inference import upsample_cpu
from intrinsic_cli.kit.inference.device_rows import DeviceRows
from intrinsic_cli.kit.inference.room import LARGEST_STRIP
from intrinsic_cli.kit.inference.rows import Rows
from intrinsic_cli.kit.light import upsample

#: Types of devices with code of their own.
OWN = ("cpu",)


@dataclass(frozen=True, slots=True)
class Path:
    """``bring(photo, device)`` is the photo for whom its light is wanted on the device;
    ``any_size``: also of photos that would fit into memory. Light is wanted of about so many
    ``pixels`` at a time (None: what suits the CPU's cache). ``shading_rows`` and
    ``upsample_shading`` are those of :mod:`~intrinsic_cli.kit.light.upsample`."""

    bring: Callable[[PhotoRows | FloatRows, torch.device], Rows]
    any_size: bool
    pixels: int | None
    shading_rows: Callable[[Tensor, Tensor, slice, tuple[int, int]], Tensor]
    upsample_shading: Callable[[Tensor, Tensor, Tensor | None], Tensor]


def _as_it_is(photo: PhotoRows | FloatRows, device: torch.device) -> Rows:
    return photo


def _to_device(photo: PhotoRows | FloatRows, device: torch.device) -> Rows:
    """Codes; floats are light already, and brought when they are asked for."""
    return DeviceRows(photo, device) if isinstance(photo, PhotoRows) else photo


CPU_PATH = Path(
    bring=_as_it_is,
    any_size=False,
    pixels=None,
    shading_rows=upsample_cpu.shading_rows,
    upsample_shading=upsample_cpu.upsample_shading,
)
DEVICE_PATH = Path(
    bring=_to_device,
    any_size=True,
    pixels=LARGEST_STRIP,
    shading_rows=upsample.shading_rows,
    upsample_shading=upsample.upsample_shading,
)


def path_for(device: torch.device) -> Path:
    """The one that belongs to the type of a device."""
    return CPU_PATH if device.type in OWN else DEVICE_PATH
