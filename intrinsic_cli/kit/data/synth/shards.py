"""Rendered views in tar shards: three albedo sets and three or four one-light shading layers each.

A shard is a WebDataset-style tar; the members of a view are named ``<key>.<member>``. Decoded
layers stay 8 bit in memory, in the shards' gamma codes, and become linear light through a table
where they are used."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files.opencv import cv2

Bytes = NDArray[np.uint8]

_CODE = np.arange(256, dtype=np.float32) / 255
#: 8-bit code → linear reflectance.
ALBEDO = _CODE**2.2
#: 8-bit code → shading or highlight, in units where the 95th percentile of a light's layer is 1.
SHADING = 4 * _CODE**2.4


@dataclass(frozen=True, slots=True)
class View:
    """A decoded view: ``albedos``, ``shadings`` [H,W,3] codes; ``highlights`` by light; ``ids``
    [H,W], 0 = none."""

    key: str
    meta: Mapping[str, Any]
    albedos: tuple[Bytes, ...]
    shadings: tuple[Bytes, ...]
    highlights: Mapping[int, Bytes]
    normals: Bytes
    ids: Bytes


class Shards:
    """The views below a folder of ``*.tar``; decoded on first use, then kept in memory when
    ``keep`` is set.

    ``part`` (first, step) takes every ``step``-th view alone."""

    def __init__(self, folder: Path, part: tuple[int, int] = (0, 1), keep: bool = True) -> None:
        first, step = part
        self._places = [place for tar in sorted(folder.glob("*.tar")) for place in _index(tar)][
            first::step
        ]
        if not self._places:
            raise DataError(
                f"{folder} holds no *.tar shards", "see the README on rendered training data"
            )
        self._keep: dict[int, View] | None = {} if keep else None

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int) -> View:
        if self._keep is None:
            return _decode(*self._places[index])
        if index not in self._keep:
            self._keep[index] = _decode(*self._places[index])
        return self._keep[index]


def _index(tar: Path) -> Iterator[tuple[Path, str, dict[str, tuple[int, int]]]]:
    views: dict[str, dict[str, tuple[int, int]]] = {}
    try:
        with tarfile.open(tar) as archive:
            for member in archive:
                key, _, name = member.name.partition(".")
                views.setdefault(key, {})[name] = (member.offset_data, member.size)
    except (tarfile.TarError, OSError) as error:
        raise DataError(
            f"{tar} is not a readable shard: {error}", "download or render it again"
        ) from error
    yield from ((tar, key, members) for key, members in views.items())


def _decode(tar: Path, key: str, members: Mapping[str, tuple[int, int]]) -> View:
    with tar.open("rb") as file:

        def read(name: str) -> bytes:
            offset, size = members[name]
            file.seek(offset)
            return file.read(size)

        meta = json.loads(read("meta.json"))
        return View(
            key=key,
            meta=meta,
            albedos=tuple(_rgb(read(f"albedo{i}.webp")) for i in range(meta["n_albedo"])),
            shadings=tuple(_rgb(read(f"shading{i}.webp")) for i in range(meta["n_shading"])),
            highlights={i: _rgb(read(f"specular{i}.webp")) for i in meta["specular"]},
            normals=_rgb(read("normal.webp")),
            ids=cv2.imdecode(np.frombuffer(read("ids.png"), np.uint8), cv2.IMREAD_GRAYSCALE),
        )


def _rgb(data: bytes) -> Bytes:
    return np.ascontiguousarray(
        cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    )
