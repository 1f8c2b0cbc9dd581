"""OpenEXR files, through the OpenEXR package (OpenCV 5 dropped the format)."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.api import DataError

HALF_MAX = 65504.0


def read_exr(data: bytes) -> NDArray[np.float32]:
    """The R, G, B (or Y) and A channels of the first part: [H,W,3] or [H,W,4] float32, not yet
    cleaned of NaN."""
    import OpenEXR

    with tempfile.TemporaryDirectory() as folder:  # older OpenEXR packages read from a path only
        path = Path(folder, "photo.exr")
        path.write_bytes(data)
        try:
            with OpenEXR.File(str(path), separate_channels=True) as file:
                channels = {
                    name: np.array(channel.pixels) for name, channel in file.channels().items()
                }
        except (RuntimeError, ValueError, TypeError) as error:
            raise DataError(
                "the image is truncated or damaged", "copy or render it again"
            ) from error
    return _stack(channels)


def _stack(channels: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
    colours = next((c for c in ("RGB", "YYY") if all(name in channels for name in c)), None)
    if colours is None:
        raise DataError(
            f"the EXR has channels {', '.join(sorted(channels))} but no R, G, B",
            "export an RGB EXR",
        )
    names = colours + ("A" if "A" in channels else "")
    return np.stack([channels[name] for name in names], axis=-1).astype(np.float32)


def write_exr(
    path: Path, layer: NDArray[np.float32], alpha: NDArray[np.float32] | None = None
) -> NDArray[np.float16]:
    """Write ``layer`` [H,W,1 or 3] and ``alpha`` [H,W] in half precision; returns the layer as
    stored."""
    import OpenEXR

    half = np.clip(layer, -HALF_MAX, HALF_MAX).astype(np.float16)
    names = "RGB" if half.shape[2] == 3 else "Y"
    channels = {name: np.ascontiguousarray(half[..., i]) for i, name in enumerate(names)}
    if alpha is not None:
        channels["A"] = alpha.astype(np.float16)
    header = {"compression": OpenEXR.ZIPS_COMPRESSION, "type": OpenEXR.scanlineimage}
    with OpenEXR.File(header, channels) as file:
        file.write(str(path))
    return half
