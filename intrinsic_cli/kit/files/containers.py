"""EXIF and the word that codes are sRGB, put into finished PNG, JPEG and WebP files.

PNG says sRGB with a chunk of its own; JPEG and WebP hold a colour profile.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache

from intrinsic_cli.kit.files.exif import Exif, exif_block
from intrinsic_cli.kit.files.png_chunks import png_chunk

Pieces = Iterator[bytes | memoryview]

#: PNG: its name, and the chunk of 13 bytes that describes the picture.
_PNG_HEAD = 8 + 12 + 13
_PERCEPTUAL = b"\0"
#: JPEG: markers of application data, and the most that such a piece holds.
_APP0, _APP1, _APP2 = 0xE0, 0xE1, 0xE2
#: WebP: what the extended header says is in the file.
_HAS_PROFILE, _HAS_ALPHA, _HAS_EXIF = 0x20, 0x10, 0x08


@dataclass(frozen=True, slots=True)
class Marks:
    """What a picture's file is to say of it: ``exif``, and whether its codes are ``srgb``."""

    exif: Exif = field(default_factory=Exif)
    srgb: bool = False

    def __bool__(self) -> bool:
        return self.srgb or bool(self.exif)


def marked(data: memoryview, form: str, marks: Marks) -> Pieces:
    """The PNG, JPEG or WebP ``data``, in pieces, with ``marks``."""
    if not marks:
        return iter([data])
    return _CONTAINERS[form](data, marks)


def _marked_png(data: memoryview, marks: Marks) -> Pieces:
    yield data[:_PNG_HEAD]
    if marks.srgb:
        yield png_chunk(b"sRGB", _PERCEPTUAL)
    block = exif_block(marks.exif)
    if block:
        yield png_chunk(b"eXIf", block)
    yield data[_PNG_HEAD:]


def _marked_jpeg(data: memoryview, marks: Marks) -> Pieces:
    """Behind the first piece, which says that it is a JFIF."""
    begin = 2
    if data[2:4] == bytes([0xFF, _APP0]):
        begin += 2 + int.from_bytes(data[4:6], "big")
    yield data[:begin]
    block = exif_block(marks.exif)
    if block:
        yield _jpeg_piece(_APP1, b"Exif\0\0" + block)
    if marks.srgb:
        yield _jpeg_piece(_APP2, b"ICC_PROFILE\0\1\1" + srgb_profile())
    yield data[begin:]


def _jpeg_piece(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def _marked_webp(data: memoryview, marks: Marks) -> Pieces:
    """The picture between the profile and the EXIF, below an extended header."""
    chunks = list(_webp_chunks(data))
    picture = [body for kind, body in chunks if kind not in (b"VP8X", b"ICCP", b"EXIF")]
    block = exif_block(marks.exif)
    flags = _webp_flags(chunks)
    before, behind = b"", b""
    if marks.srgb:
        flags |= _HAS_PROFILE
        before = _webp_chunk(b"ICCP", srgb_profile())
    if block:
        flags |= _HAS_EXIF
        behind = _webp_chunk(b"EXIF", block)
    width, height = _webp_size(chunks)
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    head = _webp_chunk(b"VP8X", struct.pack("<I", flags) + sides)
    length = 4 + len(head) + len(before) + len(behind) + sum(map(len, picture))
    yield b"RIFF" + struct.pack("<I", length) + b"WEBP" + head + before
    yield from picture
    yield behind


def _webp_chunks(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Each chunk's name, and all of it with the name, even in length."""
    place = 12
    while place + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, place)
        end = place + 8 + length + length % 2
        yield kind, data[place:end]
        place = end


def _webp_flags(chunks: list[tuple[bytes, memoryview]]) -> int:
    """What the file has already: alpha at most."""
    for kind, chunk in chunks:
        if kind == b"VP8X":
            return chunk[8] & _HAS_ALPHA
        if kind == b"VP8L":
            return _HAS_ALPHA if chunk[12] & 0x10 else 0
    return 0


def _webp_size(chunks: list[tuple[bytes, memoryview]]) -> tuple[int, int]:
    """(width, height), from the extended header or from that of either kind of picture."""
    for kind, chunk in chunks:
        if kind == b"VP8X":
            width = int.from_bytes(chunk[12:15], "little")
            height = int.from_bytes(chunk[15:18], "little")
            return width + 1, height + 1
        if kind == b"VP8L":
            packed = int.from_bytes(chunk[9:13], "little")
            return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
        if kind == b"VP8 ":
            width = int.from_bytes(chunk[14:16], "little")
            height = int.from_bytes(chunk[16:18], "little")
            return width & 0x3FFF, height & 0x3FFF
    raise ValueError("no WebP")


def _webp_chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


@cache
def srgb_profile() -> bytes:
    """A small ICC profile of sRGB."""
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    return bytes(profile.tobytes())


_CONTAINERS: dict[str, Callable[[memoryview, Marks], Pieces]] = {
    "png": _marked_png,
    "png16": _marked_png,
    "jpg": _marked_jpeg,
    "webp": _marked_webp,
}
