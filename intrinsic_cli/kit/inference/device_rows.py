"""Photos that travel to a device as the codes of their files, and become light there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from intrinsic_cli.kit.files.photo import Photo
from intrinsic_cli.kit.files.photo_rows import PhotoRows
from intrinsic_cli.kit.files.transfer import Transfer

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

_SIXTEEN_BITS = 0xFFFF


class DeviceRows:
    """As :class:`~intrinsic_cli.kit.files.photo_rows.PhotoRows`, but that the light of some rows is
    made on ``device``, to which their codes go from memory that it reads by itself."""

    exposure = 1.0

    def __init__(self, photo: PhotoRows, device: torch.device) -> None:
        self.size, self.has_alpha = photo.size, photo.has_alpha
        self.header, self.noise = photo.header, photo.noise
        self._photo, self._device = photo, device
        self._codes = _pinned(photo.codes, device)
        photo.codes = _as_codes(self._codes)  # so that they are there once
        self._transfer = photo.transfer()
        self._tables: Tensor | None = None

    def rows(self, rows: slice) -> Photo:
        """Some rows, in the memory of the CPU, as a photo of their own."""
        return self._photo.rows(rows)

    def alpha(self, rows: slice) -> Image | None:
        """The alpha of some rows, in the memory of the CPU."""
        return self._photo.alpha(rows)

    def planes(self, rows: slice) -> Tensor:
        """The colours of some rows on the device, [3,h,W]."""
        if self._transfer is None:
            return torch.from_numpy(self._photo.planes(rows)).to(self._device)
        if self._tables is None:
            self._tables = torch.from_numpy(self._transfer.tables).to(self._device)
        codes = self._codes[rows].to(self._device, non_blocking=True)
        return light_of(codes, self._tables, self._transfer)


def light_of(codes: Tensor, tables: Tensor, transfer: Transfer) -> Tensor:
    """Codes [h,W] or [h,W,1 to 4] of uint8, or of uint16 in the place of int16, the last of two or
    four channels alpha → linear [3,h,W]; ``tables`` are those of ``transfer`` on their device."""
    colours = codes if codes.ndim == 3 else codes[..., None]
    if colours.shape[2] in (2, 4):
        colours = colours[..., :-1]
    numbers = _numbers(colours.permute(2, 0, 1))
    light = _looked_up(numbers, tables)
    if transfer.matrix is None:
        return light
    matrix = torch.from_numpy(transfer.matrix).to(light.device)
    mixed = matrix @ light.reshape(3, -1)
    return mixed.clamp_(min=0.0).view_as(light)


def _looked_up(numbers: Tensor, tables: Tensor) -> Tensor:
    """Numbers [1 or 3,h,W] → [3,h,W] by one table for all, or one for each colour."""
    if len(tables) == 1:
        values = tables[0].index_select(0, numbers.reshape(-1))
        return values.view_as(numbers).expand(3, -1, -1).contiguous()
    each = numbers.expand(3, -1, -1)
    planes = [
        table.index_select(0, plane.reshape(-1)).view_as(plane)
        for table, plane in zip(tables, each, strict=True)
    ]
    return torch.stack(planes)


def _numbers(codes: Tensor) -> Tensor:
    """Codes as int32, in one piece."""
    whole = codes.contiguous().to(torch.int32)
    return whole if codes.dtype == torch.uint8 else whole.bitwise_and_(_SIXTEEN_BITS)


def _pinned(codes: NDArray[Any], device: torch.device) -> Tensor:
    """Codes in memory of which a GPU reads by itself; those of 16 bits as int16, which all devices
    know."""
    native = codes.dtype.newbyteorder("=")
    whole = np.require(codes, native, ("C", "W"))
    tensor = torch.from_numpy(whole if whole.dtype == np.uint8 else whole.view(np.int16))
    if device.type != "cuda":
        return tensor
    try:
        return tensor.pin_memory()
    except RuntimeError:  # the system has no more of it: any other is slower, and will do
        return tensor


def _as_codes(tensor: Tensor) -> NDArray[Any]:
    """The same memory, for those who know no tensors."""
    codes: NDArray[Any] = tensor.numpy()
    return codes if codes.dtype == np.uint8 else codes.view(np.uint16)
