"""Colour profiles made by hand: with curves and a matrix, gray, and with tables."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

#: x and y of red, green, blue and white.
ADOBE = (0.64, 0.33, 0.21, 0.71, 0.15, 0.06, 0.3127, 0.3290)
DISPLAY_P3 = (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.3127, 0.3290)
PROPHOTO = (0.7347, 0.2653, 0.1596, 0.8404, 0.0366, 0.0001, 0.3457, 0.3585)
SRGB = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)

D50 = np.array([0.9642, 1.0, 0.8249])
BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)

SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def colorants(corners: tuple[float, ...]) -> Numbers:
    """XYZ of full red, green and blue (columns), adapted to D50."""
    x, y = np.array(corners[::2]), np.array(corners[1::2])
    xyz = np.stack([x / y, np.ones(4), (1 - x - y) / y])
    primaries = xyz[:, :3] * np.linalg.solve(xyz[:, :3], xyz[:, 3])
    gains = (BRADFORD @ D50) / (BRADFORD @ xyz[:, 3])
    return np.asarray(np.linalg.inv(BRADFORD) @ np.diag(gains) @ BRADFORD @ primaries)


TO_SRGB = np.linalg.inv(colorants(SRGB))


def from_srgb(linear: NDArray[Any], corners: tuple[float, ...]) -> Numbers:
    """Linear sRGB [...,3] → linear RGB of other primaries."""
    matrix = np.linalg.inv(colorants(corners)) @ colorants(SRGB)
    return np.asarray(np.asarray(linear, np.float64) @ matrix.T)


def to_srgb(linear: NDArray[Any], corners: tuple[float, ...]) -> Numbers:
    """The way back."""
    matrix = TO_SRGB @ colorants(corners)
    return np.asarray(np.asarray(linear, np.float64) @ matrix.T)


def s15(*numbers: float) -> bytes:
    return b"".join(struct.pack(">i", round(number * 65536)) for number in numbers)


def gamma(power: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(power * 256))


def table(values: NDArray[Any]) -> bytes:
    codes = np.round(np.asarray(values) * 65535).astype(">u2")
    return b"curv" + bytes(4) + struct.pack(">I", len(codes)) + codes.tobytes()


def formula(kind: int, *numbers: float) -> bytes:
    return b"para" + bytes(4) + struct.pack(">HH", kind, 0) + s15(*numbers)


def profile(
    tags: Mapping[str, bytes],
    space: bytes = b"RGB ",
    pcs: bytes = b"XYZ ",
    name: str = "made by hand",
    kind: bytes = b"mntr",
) -> bytes:
    """A profile of version 2.4 with these tags."""
    text = name.encode("ascii") + b"\0"
    described = b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(78)
    all_tags = {
        "desc": described,
        "cprt": b"text" + bytes(4) + b"none\0",
        "wtpt": b"XYZ " + bytes(4) + s15(*D50),
        **tags,
    }
    place = 128 + 4 + 12 * len(all_tags)
    listed, body = b"", b""
    for signature, data in all_tags.items():
        listed += struct.pack(">4sII", signature.encode(), place + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(">I4sI4s4s4s", place + len(body), b"none", 0x02400000, kind, space, pcs)
    head += bytes(12) + b"acsp" + bytes(28) + s15(*D50)
    head = head.ljust(128, b"\0")
    return head + struct.pack(">I", len(all_tags)) + listed + body


def rgb_profile(
    corners: tuple[float, ...], curve: bytes, name: str = "made by hand", **more: bytes
) -> bytes:
    columns = colorants(corners).T
    tags = {
        f"{colour}XYZ": b"XYZ " + bytes(4) + s15(*columns[at]) for at, colour in enumerate("rgb")
    }
    tags |= {f"{colour}TRC": curve for colour in "rgb"}
    return profile({**tags, **more}, name=name)


def gray_profile(curve: bytes) -> bytes:
    return profile({"kTRC": curve}, space=b"GRAY", name="made gray")


def table_profile(
    inks: int, colours: Callable[[Numbers], Numbers], grid: int = 9, name: str = "made of tables"
) -> bytes:
    """A profile whose one table says which linear sRGB ``colours`` make of codes 0..1 [N,inks]."""
    steps = np.linspace(0, 1, grid)
    places = np.stack(np.meshgrid(*[steps] * inks, indexing="ij"), -1).reshape(-1, inks)
    xyz = colours(places) @ np.linalg.inv(TO_SRGB).T
    codes = lab_codes(xyz).astype(">u2").tobytes()
    line = np.array([0, 65535], ">u2").tobytes()
    body = b"mft2" + bytes(4) + struct.pack(">BBBB", inks, 3, grid, 0)
    body += s15(1, 0, 0, 0, 1, 0, 0, 0, 1) + struct.pack(">HH", 2, 2)
    body += line * inks + codes + line * 3
    space = b"CMYK" if inks == 4 else b"RGB "
    kind = b"prtr" if inks == 4 else b"mntr"
    tags = {"A2B0": body, "A2B1": body}
    return profile(tags, space=space, pcs=b"Lab ", name=name, kind=kind)


def lab_codes(xyz: Numbers) -> NDArray[np.uint16]:
    """CIE L*a*b* in the 16 bits of the second version of profiles."""
    ratio = np.maximum(xyz / D50, 0)
    f = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    lightness = 116 * f[:, 1] - 16
    a, b = 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])
    codes = np.stack([lightness * 652.8, (a + 128) * 256, (b + 128) * 256], -1)
    return np.clip(np.round(codes), 0, 65535).astype(np.uint16)
