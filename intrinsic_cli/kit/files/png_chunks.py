"""The pieces that PNG files are made of. Light."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

#: How a PNG begins.
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def png_chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """The name and the content of each chunk of a PNG, up to where it breaks off."""
    view = memoryview(data)
    at = len(SIGNATURE)
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        yield kind, view[at + 8 : at + 8 + length]
        at += 12 + length


def first_chunk(data: bytes, wanted: bytes) -> bytes:
    """What the first chunk of that name holds, b"" where there is none."""
    found = (bytes(content) for kind, content in png_chunks(data) if kind == wanted)
    return next(found, b"")


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk as it stands in a file."""
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)
