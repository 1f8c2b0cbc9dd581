"""OpenEXR files, through the OpenEXR package (OpenCV 5 dropped the format)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files.exr_ending import as_os_error, require_ending
from intrinsic_cli.kit.files.memory import check_pixels, memory
from intrinsic_cli.kit.files.quiet import decoding, without_prints
from intrinsic_cli.kit.light.primaries import to_rec709

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

#: How an EXR begins.
MAGIC = b"\x76\x2f\x31\x01"
HALF_MAX = 65504.0

DAMAGED = "the image is truncated or damaged"
AGAIN = "copy or render it again"

_LARGEST = 4  # bytes that a number of a channel may have
_NAMED = 8  # layers named in a message
_LONG = ("red", "green", "blue", "alpha", "r", "g", "b", "a", "y")  # how channels are also called


@dataclass(frozen=True, slots=True)
class Header:
    """What the beginning of an EXR tells. ``layers``: name of a layer ("" = the plain one) → the
    part it is in and the channels (red, green, blue or one gray; perhaps alpha). ``first``: all
    channels of the first part."""

    layers: Mapping[str, tuple[int, tuple[str, ...]]]
    chromaticities: tuple[float, ...]
    channels: tuple[str, ...]
    first: tuple[str, ...]


def read_exr(data: bytes, layer: str = "") -> NDArray[np.float32]:
    """A layer of the EXR ("" = its plain R, G, B or Y, and A): [H,W,3] or [H,W,4] float32 in the
    primaries of sRGB, not yet cleaned of NaN.

    ``layer`` is what stands before the dot of its channels (``beauty.R``), or the name of a part.
    DataError names the layers where there is a choice to make.
    """
    with _on_disk(data) as path:
        header = read_header(path)
        part, names = choose_layer(header, layer)
        planes = _read_planes(path, part, names)
    if any(plane.shape != planes[0].shape for plane in planes):
        hint = "export it without subsampling of channels"
        raise DataError("the channels of the EXR differ in size", hint)
    return join_planes(planes, header.chromaticities)


def read_channels(data: bytes, names: Sequence[str]) -> Image | None:
    """The channels [H,W,C] float32 of these names in the first part, as they are; None unless all
    are there."""
    with _on_disk(data) as path:
        header = read_header(path)
        if not set(names).issubset(header.first):
            return None
        planes = _read_planes(path, 0, tuple(names))
    return np.stack(planes, axis=-1).astype(np.float32)


@contextmanager
def _on_disk(data: bytes) -> Iterator[Path]:
    """The file again: older OpenEXR packages read from a path only."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "photo.exr")
        path.write_bytes(data)
        yield path


def join_planes(
    planes: list[NDArray[Any]], chromaticities: tuple[float, ...]
) -> NDArray[np.float32]:
    """Gray or red, green, blue, and alpha where there are two or four, each [H,W] → [H,W,3 or 4]
    float32 in the primaries of sRGB."""
    alpha = []
    if len(planes) in (2, 4):
        alpha = [planes.pop()]
    if len(planes) == 1:
        return np.stack([*planes * 3, *alpha], axis=-1, dtype=np.float32)
    colours = np.stack(planes, axis=-1, dtype=np.float32)
    colours = to_rec709(colours, chromaticities)
    return np.dstack([colours, *alpha])


def choose_layer(header: Header, layer: str) -> tuple[int, tuple[str, ...]]:
    """Part and channels of the layer asked for, as in :func:`read_exr`."""
    layers = header.layers
    wanted = next((name for name in layers if name.casefold() == layer.casefold()), None)
    if wanted is not None:
        return layers[wanted]
    told = ", ".join(list(layers)[:_NAMED]) + (" …" if len(layers) > _NAMED else "")
    if layer and any(layers):
        raise DataError(f"the EXR has no layer {layer!r}", f"its layers: {told}")
    if layer:
        raise DataError(f"the EXR has no layer {layer!r}", "it has no layers, only its picture")
    if layers:
        hint = f"name the one to read, such as --exr-layer {next(iter(layers))}"
        raise DataError(f"the EXR has several layers and no plain picture: {told}", hint)
    channels = ", ".join(header.channels[:_NAMED]) or "none"
    raise DataError(f"the EXR has channels {channels} but no R, G, B", "export an RGB EXR")


def read_header(path: Path, to_read_all: bool = True) -> Header:
    """Look at the beginning of the file, without its pixels. DataError where it is damaged, or too
    large ``to_read_all`` of it at once."""
    with _opened(path, header_only=True) as file:
        headers = [part.header for part in file.parts]
        if to_read_all:
            _check_memory(headers)
        return _describe(headers)


def _describe(headers: list[dict[str, Any]]) -> Header:
    """What the headers of all parts say together."""
    layers: dict[str, tuple[int, tuple[str, ...]]] = {}
    parts = [_channel_names(header) for header in headers]
    for number, (header, names) in enumerate(zip(headers, parts, strict=True)):
        part = str(header.get("name", number))
        groups = _group(names)
        for name, found in groups.items():
            title = _title(name, part, number, taken=name in layers)
            layers[title] = (number, found)
    channels = tuple(name for names in parts for name in names)
    chromaticities = _chromaticities(headers[0])
    first = tuple(parts[0])
    return Header(layers, chromaticities, channels, first)


def _chromaticities(header: Mapping[str, Any]) -> tuple[float, ...]:
    """x and y of the primaries and of white; () where they are not told."""
    numbers = np.ravel(header.get("chromaticities", ()))
    return tuple(float(number) for number in numbers)


def _channel_names(header: Mapping[str, Any]) -> list[str]:
    return [channel.name for channel in header["channels"]]


def _check_memory(headers: Sequence[Mapping[str, Any]]) -> None:
    """DataError for pictures too large, one by one or, as they are read at once, together."""
    numbers = 0
    channels = 0
    for header in headers:
        count = len(header["channels"])
        numbers += _check_size(header["dataWindow"]) * count
        channels += count
    if _LARGEST * numbers > memory():
        hint = "export the picture alone, or fewer layers a file"
        raise DataError(f"its {channels} channels do not fit into memory", hint)


def _check_size(window: Any) -> int:
    """How many pixels it has."""
    low, high = np.asarray(window, np.int64)
    width, height = (high - low + 1).tolist()
    check_pixels(width, height)
    return int(width * height)


def _title(name: str, part: str, number: int, taken: bool) -> str:
    """How a layer is asked for: ``""`` is the plain one of the first part only."""
    if name and not taken:
        return name
    if not name:
        return part if number else ""
    return f"{part}.{name}"


def _group(channels: list[str]) -> dict[str, tuple[str, ...]]:
    """Layer → its channels in order, for all layers that have red, green and blue, or gray."""
    layers: dict[str, dict[str, str]] = {}
    for channel in channels:
        layer, _, last = channel.rpartition(".")
        layers.setdefault(layer, {})[last[:1].upper() if last.lower() in _LONG else last] = channel
    found = {}
    for layer, names in layers.items():
        if {"X", "Y", "Z"}.issubset(names):  # vectors, not gray
            continue
        for colours in ("RGB", "Y"):
            if all(colour in names for colour in colours):
                wanted = colours + ("A" if "A" in names else "")
                found[layer] = tuple(names[name] for name in wanted)
                break
    return found


def _read_planes(path: Path, part: int, names: tuple[str, ...]) -> list[NDArray[Any]]:
    with _opened(path, separate_channels=True) as file:
        channels = file.channels(part)
        planes = [np.array(channels[name].pixels) for name in names]
    if any(plane.dtype.kind != "f" or plane.ndim != 2 for plane in planes):
        raise DataError(
            "the EXR holds whole numbers or deep pixels, not light", "export half or float"
        )
    return planes


@contextmanager
def _opened(path: Path, **how: bool) -> Iterator[Any]:
    """The file as the package sees it; whatever is wrong with it becomes a DataError."""
    import OpenEXR

    try:
        with decoding(), without_prints(), OpenEXR.File(str(path), **how) as file:
            if not file.parts:
                raise ValueError("no part could be read")
            yield file
    except (RuntimeError, ValueError, TypeError, KeyError, IndexError, MemoryError) as error:
        raise DataError(DAMAGED, AGAIN) from error


def clipped_share(layer: Image) -> float:
    """The share of the numbers of a layer that half precision cannot hold."""
    if layer.min(initial=0.0) >= -HALF_MAX and layer.max(initial=0.0) <= HALF_MAX:
        return 0.0
    return float((np.abs(layer) > HALF_MAX).mean())


def stored_numbers(values: Image, bits: int) -> NDArray[np.floating[Any]]:
    """What an EXR holds of ``values``: half (clipped to ±65504) or full precision."""
    if bits == 32:
        return values.astype(np.float32, copy=False)
    return np.clip(values, -HALF_MAX, HALF_MAX).astype(np.float16)


def write_exr(
    path: Path, layer: Image, alpha: Image | None = None, bits: int = 16
) -> NDArray[np.floating[Any]]:
    """Write ``layer`` [H,W,1 or 3] and ``alpha`` [H,W] in half (clipped to ±65504) or full
    precision; returns the layer as stored. OSError where it cannot be written to its end."""
    numbers = stored_numbers(layer, bits)
    names = "RGB" if numbers.shape[2] == 3 else "Y"
    channels = {}
    for index, name in enumerate(names):
        channels[name] = np.ascontiguousarray(numbers[..., index])
    if alpha is not None:
        channels["A"] = alpha.astype(numbers.dtype)
    write_channels(path, channels)
    return numbers


def write_channels(path: Path, channels: Mapping[str, NDArray[Any]]) -> None:
    """Write an EXR of ``channels`` [H,W] float16 or float32 by name. OSError where it cannot be
    written to its end."""
    import OpenEXR

    header = {"compression": OpenEXR.ZIPS_COMPRESSION, "type": OpenEXR.scanlineimage}
    with OpenEXR.File(header, dict(channels)) as file:
        try:
            file.write(str(path))
        except RuntimeError as error:
            raise as_os_error(error) from error
    lines = max(len(plane) for plane in channels.values())
    require_ending(path, lines)
