"""Little pictures of floats, and the files made of them."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import OpenEXR
import tifffile
from profiles import PROPHOTO, gamma, rgb_profile

from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.tiff_rows import write_tiff_file

RNG = np.random.default_rng(0)
SIZE = (53, 37)
ACES = (0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.32168, 0.33767)
#: Noise, even places that compress well, colours that are none, light that is infinite.
LIGHT = (RNG.random((*SIZE, 4)) * 6).astype(np.float32)
LIGHT[20:45] = 0.25
LIGHT[3, 4, 1] = np.nan
LIGHT[48, 5, 0] = np.inf
LIGHT[9, 9, 2] = -0.5
TAME = np.nan_to_num(LIGHT, posinf=5).clip(0, 5)


def exr(
    channels: Mapping[str, Any],
    compression: str = "ZIP",
    **header: Any,
) -> Callable[[Any], bytes]:
    """By the OpenEXR package."""

    def write(folder: Any) -> bytes:
        path = folder / "written.exr"
        told = {
            "compression": getattr(OpenEXR, f"{compression}_COMPRESSION"),
            "type": OpenEXR.scanlineimage,
            **header,
        }
        pixels = {name: np.ascontiguousarray(plane) for name, plane in channels.items()}
        with OpenEXR.File(told, pixels) as file:
            file.write(str(path))
        return bytes(path.read_bytes())

    return write


def planes(names: str, dtype: Any = np.float32, layer: str = "") -> dict[str, Any]:
    with np.errstate(over="ignore"):
        return {layer + name: LIGHT[..., n].astype(dtype) for n, name in enumerate(names)}


def tiff(values: Any, **more: Any) -> Callable[[Any], bytes]:
    def write(folder: Any) -> bytes:
        file = io.BytesIO()
        kind = "minisblack" if values.ndim == 2 else "rgb"
        tifffile.imwrite(file, values, photometric=kind, **more)
        return file.getvalue()

    return write


def own_tiff(folder: Any) -> bytes:
    file = io.BytesIO()
    write_tiff_file(file, LIGHT, alpha=True)
    return file.getvalue()


def opencv(suffix: str, values: Any, *options: int) -> Callable[[Any], bytes]:
    def write(folder: Any) -> bytes:
        swapped = values[..., [2, 1, 0, 3][: values.shape[2]]]
        return bytes(cv2.imencode(suffix, swapped, list(options))[1].tobytes())

    return write


def flat_hdr(folder: Any) -> bytes:
    """Pixel after pixel."""
    head = b"#?RADIANCE\n# made up\nFORMAT=32-bit_rle_rgbe\n\n-Y %d +X %d\n" % SIZE
    codes = RNG.integers(3, 140, (*SIZE, 4)).astype(np.uint8)
    codes[5, :7, 3] = 0
    return head + codes.tobytes()


RGB = LIGHT[..., :3]
DEFLATED = (cv2.IMWRITE_TIFF_COMPRESSION, 8)
BY_BYTES = (*DEFLATED, cv2.IMWRITE_TIFF_PREDICTOR, 3)
WINDOWS = {
    "dataWindow": (np.array([-7, 11], np.int32), np.array([29, 63], np.int32)),
    "displayWindow": (np.array([0, 0], np.int32), np.array([99, 49], np.int32)),
}
#: Files that are read row by row.
FILES: dict[str, Callable[[Any], bytes]] = {
    "float.exr": exr(planes("RGB")),
    "half.exr": exr(planes("RGB", np.float16)),
    "zips.exr": exr(planes("RGBA", np.float16), "ZIPS"),
    "plain.exr": exr(planes("RGBA"), "NO"),
    "gray.exr": exr(planes("Y")),
    "gray-alpha.exr": exr(planes("YA", np.float16)),
    "mixed.exr": exr(planes("RGB", np.float16) | {"A": LIGHT[..., 3], "Z": LIGHT[..., 2]}),
    "numbers.exr": exr(planes("RGB") | {"id": np.ones(SIZE, np.uint32)}),
    "windows.exr": exr(planes("RGB"), **WINDOWS),
    "upwards.exr": exr(planes("RGB"), lineOrder=OpenEXR.DECREASING_Y),
    "aces.exr": exr(planes("RGBA"), chromaticities=ACES),
    "own.tiff": own_tiff,
    "one-strip.tiff": tiff(RGB, rowsperstrip=SIZE[0]),
    "gray.tiff": tiff(LIGHT[..., 0].copy(), rowsperstrip=7),
    "big.tiff": tiff(RGB, bigtiff=True, byteorder=">", rowsperstrip=7),
    "half.tiff": tiff(RGB.astype(np.float16), rowsperstrip=7),
    "deflate.tiff": tiff(RGB, compression="deflate", rowsperstrip=7),
    "by-bytes.tiff": opencv(".tiff", RGB, *BY_BYTES),
    "profile.tiff": tiff(RGB, iccprofile=rgb_profile(PROPHOTO, gamma(1.8008), "ProPhoto RGB")),
    "runs.hdr": opencv(".hdr", TAME[..., :3]),
    "flat.hdr": flat_hdr,
}
#: Files that are read whole.
OTHERS: dict[str, Callable[[Any], bytes]] = {
    "piz.exr": exr(planes("RGB"), "PIZ"),
    "depth.exr": exr({"depth.Z": LIGHT[..., 0]}),
    "several.exr": exr(planes("RGB", layer="beauty.")),
    "lzw.tiff": opencv(".tiff", RGB, cv2.IMWRITE_TIFF_COMPRESSION, 5),
    "tiles.tiff": tiff(RGB, tile=(16, 16)),
    "planes.tiff": tiff(RGB.transpose(2, 0, 1).copy(), planarconfig="separate"),
    "turned.tiff": tiff(RGB, extratags=[(274, 3, 1, 6, True)]),
    "bytes.tiff": tiff((TAME[..., :3] * 50).astype(np.uint8)),
    "photo.png": opencv(".png", (TAME[..., :3] * 50).astype(np.uint8)),
    "narrow.hdr": lambda folder: b"#?RADIANCE\n\n+X 4 -Y 1\n" + bytes(16),
}
