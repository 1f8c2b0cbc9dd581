"""One EXR of many layers: the photo unnamed, each layer behind its name and a dot, as programs that
put pictures together expect.

Colours, gray ones too, are R, G, B; unit vectors X, Y, Z; a mask is A, a depth Z.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.api.outputs import Kind
from intrinsic_cli.kit.files.exr import read_channels, stored_numbers, write_channels
from intrinsic_cli.kit.files.exr_rows import ExrWriter, channel_names

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

#: What the channels of kinds are called that are no colours.
_LETTERS = {"vector": "XYZ", "mask": "A", "depth": "Z"}
_COLOURS = "RGB"


def write_exr_layers(
    path: Path,
    layers: Mapping[str, tuple[Kind, Image]],
    photo: Image | None = None,
    bits: int = 16,
    alphas: Mapping[str, Image] | None = None,
) -> dict[str, NDArray[Any]]:
    """Write ``layers`` [H,W,C] with their kinds and the ``photo`` [H,W,3] in half (clipped to
    ±65504) or full precision; ``alphas`` [H,W] by layer, "" = the photo's. Returns the layers as
    stored. OSError where they cannot be written to their end."""
    stored = {name: stored_numbers(layer, bits) for name, (_, layer) in layers.items()}
    channels: dict[str, NDArray[Any]] = {}
    if photo is not None:
        channels |= _channels("", _COLOURS, stored_numbers(photo, bits))
    for name, (kind, _) in layers.items():
        letters = _letters(kind)
        channels |= _channels(name, letters, stored[name])
    for name, alpha in (alphas or {}).items():
        channels.setdefault(_channel(name, "A"), stored_numbers(alpha, bits))
    write_channels(path, channels)
    return stored


class ExrLayersWriter:
    """Such a file of ``size`` (h, w), of the photo, its ``alpha`` and layers of some ``kinds`` in
    ``bits`` (16 or 32), into ``file``, written row by row."""

    def __init__(
        self,
        file: IO[bytes],
        size: tuple[int, int],
        kinds: Mapping[str, Kind],
        bits: int,
        alpha: bool = False,
    ) -> None:
        names = channel_names(3, alpha)
        self._bits = bits
        #: How many channels each layer has.
        self._counts: dict[str, int] = {}
        for name, kind in kinds.items():
            letters = _letters(kind)
            self._counts[name] = len(letters)
            names += tuple(_channel(name, letter) for letter in letters)
        self._rows = ExrWriter(file, size, names, bits)

    def write(
        self, photo: Image, layers: Mapping[str, NDArray[Any]], alpha: Image | None = None
    ) -> None:
        """The next rows [h,W,C] of all; one channel of a layer stands for three."""
        parts: list[NDArray[Any]] = [stored_numbers(photo, self._bits)]
        if alpha is not None:
            parts.append(stored_numbers(alpha[..., None], self._bits))
        for name, count in self._counts.items():
            layer = layers[name]
            parts.append(np.broadcast_to(layer, (*layer.shape[:2], count)))
        self._rows.write(np.concatenate(parts, axis=2))

    def close(self) -> None:
        """The end of the picture; the file stays open."""
        self._rows.close()


def read_exr_layer(data: bytes, name: str, kind: Kind) -> Image | None:
    """A layer [H,W,C] of such a file as :func:`write_exr_layers` has stored it; None where there is
    none of that name."""
    return read_channels(data, channels_of(name, kind))


def channels_of(name: str, kind: Kind) -> list[str]:
    """The channels of a layer in such a file."""
    return [_channel(name, letter) for letter in _letters(kind)]


def _letters(kind: Kind) -> str:
    return _LETTERS.get(kind.name, _COLOURS)


def _channels(name: str, letters: str, layer: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """The planes of a layer by the names of their channels; one stands for all."""
    last = layer.shape[2] - 1
    return {
        _channel(name, letter): np.ascontiguousarray(layer[..., min(index, last)])
        for index, letter in enumerate(letters)
    }


def _channel(name: str, letter: str) -> str:
    return f"{name}.{letter}" if name else letter
