"""Rendered scenes in tar shards: three albedo sets and three or four one-light shading layers each.

A shard is a WebDataset-style tar; the members of a scene are named ``<key>.<member>``. Decoded
layers stay 8 bit in memory, in the shards' gamma codes, and become linear light through a table
where they are used."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files.memory import room_to_keep
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.os_errors import reason

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]

_CODE = np.arange(256, dtype=np.float32) / 255
#: Bytes of decoded scenes that stay in memory at most: some 1,700 scenes of 256².
KEPT = 4 << 30
#: 8-bit code → linear reflectance.
ALBEDO = _CODE**2.2
#: 8-bit code → shading or highlight, in units where the 95th percentile of a light's layer is 1.
SHADING = 4 * _CODE**2.4


@dataclass(frozen=True, slots=True)
class Scene:
    """A decoded square scene: ``albedos``, ``shadings`` [H,W,3] codes; ``highlights`` by light;
    ``ids`` [H,W], 0 = none."""

    key: str
    meta: Mapping[str, Any]
    albedos: tuple[Bytes, ...]
    shadings: tuple[Bytes, ...]
    highlights: Mapping[int, Bytes]
    normals: Bytes
    ids: Bytes

    @property
    def side(self) -> int:
        """Pixels a side."""
        return int(self.ids.shape[0])

    @property
    def bytes(self) -> int:
        """What the scene takes in memory."""
        coloured = [*self.albedos, *self.shadings, *self.highlights.values(), self.normals]
        return self.ids.nbytes + sum(plane.nbytes for plane in coloured)


class Shards:
    """The scenes below a folder of ``*.tar``; decoded on first use, then kept in memory while
    ``keep`` bytes, and this process's part of the memory, are not used up. Scenes beyond them are
    decoded whenever they are asked for: in an endless shuffle none is worth more than another.

    ``part`` (first, step) takes every ``step``-th scene alone. DataError where there are none, and
    where a scene that is asked for is damaged."""

    def __init__(self, folder: Path, part: tuple[int, int] = (0, 1), keep: int = KEPT) -> None:
        first, step = part
        everywhere = [place for tar in sorted(folder.glob("*.tar")) for place in _index(tar)]
        self._places = everywhere[first::step]
        if not self._places:
            message = f"{folder} holds no *.tar shards"
            hint = "the README says what shards are (Data and licences); `synth` alone needs none"
            raise DataError(message, hint)
        self._kept: dict[int, Scene] = {}
        self._keep, self._bytes_kept = keep, 0

    def __len__(self) -> int:
        return len(self._places)

    def keys(self) -> list[str]:
        """What the scenes are called, in their order; decodes none."""
        return [key for _, key, _ in self._places]

    def __getitem__(self, index: int) -> Scene:
        if index in self._kept:
            return self._kept[index]
        scene = _decode(*self._places[index])
        room = min(self._keep, room_to_keep()) - self._bytes_kept
        if scene.bytes <= room:
            self._kept[index] = scene
            self._bytes_kept += scene.bytes
        return scene


def any_meta(folder: Path) -> Mapping[str, Any]:
    """What one of the scenes below ``folder`` tells of itself; {} where there is none."""
    for tar in sorted(folder.glob("*/*.tar")):
        for place in _index(tar):
            return _Members(*place).meta()
    return {}


def _index(tar: Path) -> Iterator[tuple[Path, str, dict[str, tuple[int, int]]]]:
    scenes: dict[str, dict[str, tuple[int, int]]] = {}
    try:
        with tarfile.open(tar) as archive:
            for member in archive:
                key, _, name = member.name.partition(".")
                scenes.setdefault(key, {})[name] = (member.offset_data, member.size)
    except (tarfile.TarError, OSError) as error:
        message = f"{tar} is not a readable shard: {error}"
        raise DataError(message, "download or render it again") from error
    for key, members in scenes.items():
        yield tar, key, members


class _Members:
    """The files of one scene in its shard. DataError, which names the member, where one is missing
    or damaged."""

    def __init__(self, tar: Path, key: str, places: Mapping[str, tuple[int, int]]) -> None:
        self._tar, self._key, self._places = tar, key, places

    def read(self, name: str) -> bytes:
        """The bytes of a member."""
        if name not in self._places:
            raise self.damaged(name, "it is missing")
        offset, size = self._places[name]
        try:
            with self._tar.open("rb") as file:
                file.seek(offset)
                data = file.read(size)
        except OSError as error:
            raise self.damaged(name, reason(error)) from error
        if len(data) < size:
            raise self.damaged(name, "the shard ends before it does")
        return data

    def meta(self) -> Mapping[str, Any]:
        """What the scene tells of itself."""
        try:
            meta = json.loads(self.read("meta.json"))
        except (ValueError, RecursionError) as error:
            raise self.damaged("meta.json", "it is no JSON that can be read") from error
        if not isinstance(meta, dict):
            raise self.damaged("meta.json", "it is no table")
        return meta

    def rgb(self, name: str) -> Bytes:
        """[H,W,3] codes of an image."""
        codes = self._picture(f"{name}.webp", cv2.IMREAD_COLOR)
        return np.ascontiguousarray(codes[..., ::-1])

    def gray(self, name: str) -> Bytes:
        """[H,W] codes of an image."""
        return self._picture(f"{name}.png", cv2.IMREAD_GRAYSCALE)

    def _picture(self, name: str, mode: int) -> Bytes:
        data = np.frombuffer(self.read(name), np.uint8)
        codes: Bytes | None = cv2.imdecode(data, mode) if data.size else None
        if codes is None:
            raise self.damaged(name, "it is no picture that can be read")
        return codes

    def damaged(self, name: str, why: str) -> DataError:
        """What is told of a member."""
        message = f"{self._tar} is damaged at {self._key}.{name}: {why}"
        return DataError(message, "download or render it again")


def _decode(tar: Path, key: str, places: Mapping[str, tuple[int, int]]) -> Scene:
    members = _Members(tar, key, places)
    meta = members.meta()
    for fact in ("n_albedo", "n_shading", "specular"):
        if fact not in meta:
            raise members.damaged("meta.json", f"it does not tell {fact}")
    return Scene(
        key=key,
        meta=meta,
        albedos=tuple(members.rgb(f"albedo{i}") for i in range(meta["n_albedo"])),
        shadings=tuple(members.rgb(f"shading{i}") for i in range(meta["n_shading"])),
        highlights={i: members.rgb(f"specular{i}") for i in meta["specular"]},
        normals=members.rgb("normal"),
        ids=members.gray("ids"),
    )
