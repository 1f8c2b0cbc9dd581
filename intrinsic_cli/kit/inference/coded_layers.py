"""The layers of a photo as codes, made by what belongs to the device where they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from intrinsic_cli.api.outputs import Kind
from intrinsic_cli.kit.inference.device_layers import device_layers
from intrinsic_cli.kit.inference.paths import CPU_PATH
from intrinsic_cli.kit.inference.rows import Rows
from intrinsic_cli.kit.inference.strip_layers import Band, strip_layers
from intrinsic_cli.kit.inference.strips import Strips

Kinds = Mapping[str, Kind]


class CodedLayers(Protocol):
    """All layers of a photo as codes of ``bits``, by their ``scales``."""

    @property
    def photo(self) -> Rows:
        """The photo."""

    @property
    def strips(self) -> Strips:
        """What the layers are made of."""

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """Of each layer."""

    @property
    def bits(self) -> int:
        """8 or 16."""

    @property
    def scales(self) -> Mapping[str, float]:
        """Of the codes of each layer: 1 where its kind has none."""

    def bands(self) -> Iterator[Band]:
        """Rows, from the first to the last, and the codes [n,W,C] of each layer there. All bands
        but the last have as many rows, a multiple of a JPEG's squares. To be asked once."""


def coded_layers(photo: Rows, strips: Strips, kinds: Kinds, bits: int) -> CodedLayers:
    """The layers ``kinds`` of a photo that :class:`~intrinsic_cli.kit.inference.paths.Path` brought
    to the device of ``strips``. IidError where it has no memory for a band of them."""
    make: Callable[[Any, Strips, Kinds, int], CodedLayers] = device_layers
    if strips.path is CPU_PATH:
        make = strip_layers
    return make(photo, strips, kinds, bits)
