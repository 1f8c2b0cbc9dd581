"""Pictures of sizes of their own: textures as PNG, animations as GIF or MP4."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from intrinsic_cli.api import Animation, PluginError, UsageError
from intrinsic_cli.kit.files.atomic import replacing
from intrinsic_cli.kit.files.clip_writer import ClipWriter
from intrinsic_cli.kit.files.formats import VIDEO
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


def write_animation(place: Path, animation: Any, fps: float) -> Path:
    """Write pictures [T,h,w,3] linear (clipped to 0..1), sRGB, as ``<place>.gif``, which repeats
    for ever; or an :class:`~intrinsic_cli.api.Animation` in the form it asks for, ``<place>.mp4``
    if that is MP4. IidError where the extra ``video`` is missing or cannot write it."""
    form = "gif"
    if isinstance(animation, Animation):
        animation, form = animation.pictures, animation.form
    numbers = _checked(animation, dimensions=4)
    path = place.with_name(f"{place.name}.{form}")
    write = _write_mp4 if form == "mp4" else _write_gif
    with replacing(path) as temporary:
        write(temporary, [encode_codes(picture, 8) for picture in numbers], fps)
    return path


def require_mp4() -> None:
    """UsageError where animations cannot be written as MP4."""
    if not VIDEO.is_readable:
        hint = 'pip install "intrinsic-cli[video]", or take a GIF'
        raise UsageError(f"an animation as MP4 needs the extra {VIDEO.extra!r}", hint)


def _write_gif(path: Path, pictures: Sequence[NDArray[np.uint8]], fps: float) -> None:
    duration = max(_SHORTEST, round(1000 / fps))
    first, *rest = map(Image.fromarray, pictures)
    first.save(path, "GIF", save_all=True, append_images=rest, duration=duration, loop=0)


def _write_mp4(path: Path, pictures: Sequence[NDArray[np.uint8]], fps: float) -> None:
    require_mp4()
    rate = Fraction(fps).limit_denominator(1001)
    with ClipWriter(path, rate) as writer:
        for picture in pictures:
            writer.write(picture)
        writer.close()


def _checked(values: Any, dimensions: int) -> NDArray[np.float32]:
    numbers = np.asarray(values, np.float32)
    if numbers.ndim != dimensions or numbers.shape[-1] != 3 or not numbers.size:
        wanted = "[h,w,3]" if dimensions == 3 else "[T,h,w,3]"
        raise PluginError(f"its shape is {numbers.shape}, not {wanted}", "give linear RGB")
    if not np.isfinite(numbers).all():
        raise PluginError("it holds numbers that are not finite", "mend the method")
    return numbers
