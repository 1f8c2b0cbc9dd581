"""Photos of every kind of codes, and the codes of their layers by way of a device."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import tifffile
import torch
from numpy.typing import NDArray
from PIL import Image
from profiles import ADOBE, PROPHOTO, gamma, gray_profile, rgb_profile, table_profile
from strip_methods import Toy, opened, picture

from intrinsic_cli.api import Runtime
from intrinsic_cli.api.outputs import kind_of
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.inference.coded_layers import coded_layers
from intrinsic_cli.kit.inference.paths import path_for
from intrinsic_cli.kit.inference.room import Room
from intrinsic_cli.kit.inference.rows import Rows
from intrinsic_cli.kit.inference.strips import Strips, make_strips

#: Codes by which layers made on a device may differ from those of the CPU. The CPU's own of 8 bits
#: come from a table and are within one of the exact ones.
MOST = {8: 1, 16: 2}
#: The share of 8-bit codes that differ.
FEW = 0.02

Codes = NDArray[Any]
#: By name: the codes of layers, and the scales of these.
Coded = tuple[dict[str, Codes], dict[str, float]]


def smooth(mode: str) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(picture(mode))))


def deep(mode: str) -> NDArray[np.uint16]:
    """Numbers of 16 bits that none of 8 bits tell."""
    codes = smooth(mode).astype(np.uint16) * 257
    noise = np.random.default_rng(1).integers(0, 200, codes.shape).astype(np.uint16)
    return np.maximum(codes, noise) - noise


def saved(codes: Codes, form: str, **more: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(codes).save(file, form, **more)
    return file.getvalue()


def deep_png(codes: Codes) -> bytes:
    return bytes(cv2.imencode(".png", codes)[1])


def tiff(codes: Codes, profile: bytes) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, codes, photometric="rgb", iccprofile=profile, byteorder=">")
    return file.getvalue()


def _by_tables() -> bytes:
    """A profile that only a colour engine can follow."""
    return table_profile(3, lambda codes: codes**1.5)


PHOTOS: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: saved(smooth("RGB"), "JPEG", quality=95),
    "gray": lambda: picture("L"),
    "alpha": lambda: picture("RGBA"),
    "16 bits": lambda: deep_png(deep("RGB")),
    "16 bits, gray": lambda: deep_png(deep("L")),
    "16 bits, alpha": lambda: deep_png(deep("RGBA")),
    "adobe rgb": lambda: saved(
        smooth("RGB"), "PNG", icc_profile=rgb_profile(ADOBE, gamma(563 / 256), "Adobe RGB (1998)")
    ),
    "gray profile": lambda: saved(smooth("L"), "PNG", icc_profile=gray_profile(gamma(1.8))),
    "prophoto, 16 bits": lambda: tiff(
        deep("RGB"), rgb_profile(PROPHOTO, gamma(1.8008), "ProPhoto RGB")
    ),
    "tables": lambda: saved(smooth("RGB"), "PNG", icc_profile=_by_tables()),
}


def has_alpha(name: str) -> bool:
    return name.endswith("alpha")


def layer_codes(
    data: bytes, decomposer: Toy, device: torch.device, bits: int, room: Room | None = None
) -> Coded:
    """The codes of the layers of a photo by the path of ``device``, and their scales."""
    photo = path_for(device).bring(opened(data), device)
    strips, _ = make_strips(decomposer, photo, Runtime(device), {})
    return codes_of(photo, replace(strips, room=room or Room()), decomposer, bits)


def codes_of(photo: Rows, strips: Strips, decomposer: Toy, bits: int) -> Coded:
    """The codes of layers made in strips, and their scales."""
    kinds = {name: kind_of(name) for name in decomposer.names}
    layers = coded_layers(photo, strips, kinds, bits)
    parts = [codes for _, codes in layers.bands()]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in kinds}
    return joined, dict(layers.scales)


def check_alike(found: Coded, meant: Coded, bits: int) -> None:
    """Both are the same codes, within :data:`MOST` of them."""
    assert found[0].keys() == meant[0].keys()
    for name, codes in meant[0].items():
        mine = found[0][name]
        assert (mine.dtype, mine.shape) == (codes.dtype, codes.shape)
        off = np.abs(mine.astype(int) - codes.astype(int))
        assert off.max() <= MOST[bits], (name, off.max())
        if bits == 8:
            assert (off > 0).mean() < FEW, (name, (off > 0).mean())
        assert abs(found[1][name] / meant[1][name] - 1) < 1e-4, name
