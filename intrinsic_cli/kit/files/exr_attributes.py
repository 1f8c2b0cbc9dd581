"""What the header of an OpenEXR file of one part says, byte for byte ("OpenEXR File Layout",
openexr.com). Light."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

_BEGINNING = 8  # bytes: what it is, and its version
_CHANNEL = "<iB3xii"


@dataclass(frozen=True, slots=True)
class ChannelType:
    """How a channel is stored: ``kind`` 0 (whole numbers), 1 (half) or 2 (float); ``sampling`` in x
    and y."""

    name: str
    kind: int
    sampling: tuple[int, int]


def read_attributes(data: bytes) -> tuple[dict[str, bytes], int]:
    """The values of all attributes by name, and where the header ends. IndexError or ValueError
    where it breaks off."""
    found: dict[str, bytes] = {}
    place = _BEGINNING
    while data[place]:
        kind = data.index(0, place) + 1
        size = data.index(0, kind) + 1
        value = size + 4
        end = value + int.from_bytes(data[size:value], "little")
        found[data[place : kind - 1].decode("latin-1")] = data[value:end]
        place = end
    return found, place + 1


def channel_types(attributes: Mapping[str, bytes]) -> list[ChannelType]:
    """All channels in the order in which they are stored. KeyError, ValueError or struct.error
    where they are not told."""
    values = attributes["channels"]
    found = []
    place = 0
    while values[place : place + 1] not in (b"\0", b""):
        end = values.index(0, place)
        kind, _, *sampling = struct.unpack_from(_CHANNEL, values, end + 1)
        name = values[place:end].decode("utf-8")
        found.append(ChannelType(name, kind, (sampling[0], sampling[1])))
        place = end + 1 + struct.calcsize(_CHANNEL)
    return found
