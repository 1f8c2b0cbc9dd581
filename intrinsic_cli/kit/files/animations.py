"""Pictures of sizes of their own: textures as PNG, animations as GIF."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from intrinsic_cli.api import PluginError
from intrinsic_cli.kit.files.atomic import replacing
from intrinsic_cli.kit.files.photo import write_png
from intrinsic_cli.kit.light.colour import encode_codes

_SHORTEST = 20  # milliseconds: viewers slow down what changes faster


def write_texture(place: Path, texture: Any) -> Path:
    """Write a texture [h,w,3] linear (clipped to 0..1) as ``<place>.png``, sRGB."""
    path = place.with_name(f"{place.name}.png")
    write_png(path, texture_codes(texture))
    return path


def texture_codes(texture: Any) -> NDArray[np.uint8]:
    """[h,w,3] linear → sRGB codes. PluginError for another shape, or numbers not finite."""
    return encode_codes(_checked(texture, dimensions=3), 8)


def write_animation(place: Path, frames: Any, fps: float) -> Path:
    """Write frames [T,h,w,3] linear (clipped to 0..1) as ``<place>.gif``, sRGB, repeating for
    ever."""
    numbers = _checked(frames, dimensions=4)
    pictures = [Image.fromarray(encode_codes(frame, 8)) for frame in numbers]
    path = place.with_name(f"{place.name}.gif")
    duration = max(_SHORTEST, round(1000 / fps))
    first, rest = pictures[0], pictures[1:]
    with replacing(path) as temporary:
        first.save(temporary, "GIF", save_all=True, append_images=rest, duration=duration, loop=0)
    return path


def _checked(values: Any, dimensions: int) -> NDArray[np.float32]:
    numbers = np.asarray(values, np.float32)
    if numbers.ndim != dimensions or numbers.shape[-1] != 3 or not numbers.size:
        wanted = "[h,w,3]" if dimensions == 3 else "[T,h,w,3]"
        raise PluginError(f"its shape is {numbers.shape}, not {wanted}", "give linear RGB")
    if not np.isfinite(numbers).all():
        raise PluginError("it holds numbers that are not finite", "mend the method")
    return numbers
