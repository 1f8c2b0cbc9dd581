"""Photos made ready for a network: on its device, at its size, with their exposure taken out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from intrinsic_cli.api import Frame
from intrinsic_cli.kit.light.beyond_white import exposure_of
from intrinsic_cli.kit.light.colour import linear_to_srgb
from intrinsic_cli.kit.light.noise import noise_near_black
from intrinsic_cli.kit.light.resize import fit_size, pad_to_multiple, resize, shrunk

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.kit.files.photo import Photo

#: A picture channel by channel, in the memory of the CPU or on a device.
Planes = NDArray[np.float32] | Tensor


@dataclass(frozen=True, slots=True)
class PreparedPhoto:
    """``full`` [1,3,H,W] linear is what layers are brought to: the photo, with its border repeated
    where a native-size frame asks for a multiple. ``small`` [1,3,h,w] linear is the copy the
    network sees, ``alpha`` [1,1,h,w] where the object is in it. Both photos are divided by
    ``exposure``, and so is ``noise``, the error of dark pixels. ``size`` (h, w) is the photo's
    own."""

    full: Tensor
    small: Tensor
    alpha: Tensor
    exposure: float
    size: tuple[int, int]
    noise: float = 0.0


def prepare(photo: Photo, frame: Frame, device: torch.device) -> PreparedPhoto:
    """Bring ``photo`` to ``device`` and to the size its network wants."""
    full = to_planes(photo.pixels, device)
    exposure = exposure_of(photo.pixels)
    if exposure != 1.0:
        full = full / exposure
    if frame.size is None:
        full = pad_to_multiple(full, frame.multiple)
    small = _small(full, network_size(photo, frame))
    alpha = _alpha(photo, frame, small) if frame.alpha else small.new_ones((1, 1, 1, 1))
    noise = noise_near_black(
        lambda rows: photo.pixels[rows], _size(photo), photo.bits, photo.encoding
    )
    return PreparedPhoto(full, small, alpha, exposure, _size(photo), noise / exposure)


def _small(full: Tensor, to: tuple[int, int]) -> Tensor:
    """``full`` at the size the network sees; bands fit into the cache."""
    height, width = full.shape[-2:]
    grows = to[0] >= height or to[1] >= width
    if grows:
        return resize(full, to)

    def band(rows: slice) -> Tensor:
        return full[:, :, rows]

    return shrunk(band, (height, width), to)


def network_size(photo: Photo, frame: Frame) -> tuple[int, int]:
    """The size ``(h, w)`` at which the network will see ``photo``."""
    height, width = _size(photo)
    if frame.size is not None:
        return fit_size(height, width, frame)
    below = -height % frame.multiple
    right = -width % frame.multiple
    return height + below, width + right


def network_input(photos: Sequence[PreparedPhoto], frame: Frame) -> Tensor:
    """What the network is called with: [B,3,h,w] in the frame's encoding, or [B,4,h,w] with
    alpha."""
    shown = torch.cat([photo.small.clamp(max=1.0) for photo in photos])
    if frame.encoding == "srgb":
        shown = linear_to_srgb(shown)
    if not frame.alpha:
        return shown
    return torch.cat([shown, torch.cat([photo.alpha for photo in photos])], dim=1)


def to_planes(image: Image, device: torch.device) -> Tensor:
    """[H,W,C] → [1,C,H,W] on ``device``."""
    return torch.from_numpy(image).to(device).permute(2, 0, 1)[None]


def to_tensor(planes: Planes, device: torch.device) -> Tensor:
    """[C,H,W] → [1,C,H,W] on ``device``, where they may be already."""
    if not isinstance(planes, Tensor):
        planes = torch.from_numpy(planes)
    return planes.to(device)[None]


def to_image(layer: Tensor) -> Image:
    """[1,C,H,W] → float32 [H,W,C]."""
    return np.ascontiguousarray(layer[0].permute(1, 2, 0).cpu().numpy())


def _alpha(photo: Photo, frame: Frame, small: Tensor) -> Tensor:
    """Where the object is, at the network's size: 1 everywhere in a photo without alpha."""
    size = (small.shape[-2], small.shape[-1])
    if photo.alpha is None:
        return small.new_ones((1, 1, *size))
    alpha = to_planes(photo.alpha[..., None], small.device)
    if frame.size is None:
        alpha = pad_to_multiple(alpha, frame.multiple)
    return resize(alpha, size)


def _size(photo: Photo) -> tuple[int, int]:
    height, width = photo.pixels.shape[:2]
    return height, width
