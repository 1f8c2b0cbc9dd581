"""A weights file as it lies on disk, read without torch: is it whole, and are its numbers numbers?

It is safetensors: eight bytes of header length, a JSON header, raw tensors. The tensors themselves
are the business of :mod:`~intrinsic_cli.kit.networks.checkpoint`."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from intrinsic_cli.api import WeightsError
from intrinsic_cli.kit.files.os_errors import reason

HEADER_LIMIT = 100_000_000  # bytes; the format's own limit
#: Bytes of a number.
SIZES = {
    **dict.fromkeys(("F64", "I64", "U64"), 8),
    **dict.fromkeys(("F32", "I32", "U32"), 4),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 2),
    **dict.fromkeys(("I8", "U8", "BOOL", "F8_E4M3", "F8_E5M2"), 1),
}
#: Formats that know infinity → the integers they look like, and the bits all set where a number is
#: not finite.
EXPONENTS = {
    "F64": ("<u8", 0x7FF0_0000_0000_0000),
    "F32": ("<u4", 0x7F80_0000),
    "F16": ("<u2", 0x7C00),
    "BF16": ("<u2", 0x7F80),
}


class Span(NamedTuple):
    """Where a tensor lies: bytes from ``begin`` to ``end`` behind the header."""

    begin: int
    end: int
    name: str
    dtype: str


def read_record(path: Path) -> dict[str, Any]:
    """How the weights came to be: method, variant, stages, steps, data, command, seconds, scores.
    {} if not told."""
    header, _ = _read_header(path)
    try:
        record = json.loads(header.get("__metadata__", {}).get("record", "{}"))
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged(path, "its training record is not JSON") from error
    return record if isinstance(record, dict) else {}


def networks_in(path: Path) -> frozenset[str]:
    """The names of the networks whose tensors the file holds. WeightsError where it is damaged."""
    header, _ = _read_header(path)
    tensors = [name for name in header if name != "__metadata__"]
    return frozenset(name.partition("|")[0] for name in tensors)


def check_file(path: Path) -> None:
    """WeightsError unless the file is whole, holds tensors and only finite numbers."""
    header, start = _read_header(path)
    entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
    if not entries:
        raise _damaged(path, "it holds no tensors")
    spans = sorted(_span(path, name, entry) for name, entry in entries.items())
    ends = [0, *(span.end for span in spans)]
    if [span.begin for span in spans] != ends[:-1]:
        raise _damaged(path, "its tensors overlap or leave holes")
    if path.stat().st_size != start + ends[-1]:
        raise _damaged(path, "its size is not what its header says")
    read_record(path)
    for span in spans:
        _require_finite(path, start, span)


def _read_header(path: Path) -> tuple[Mapping[str, Any], int]:
    """The JSON header, and where the tensors begin."""
    try:
        with path.open("rb") as file:
            length = _header_length(path, file.read(8))
            header = json.loads(file.read(length))
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {reason(error)}") from error
    except (ValueError, RecursionError) as error:
        raise _damaged(path, "its header is not JSON") from error
    if not isinstance(header, dict):
        raise _damaged(path, "its header is not an object")
    return header, 8 + length


def _header_length(path: Path, head: bytes) -> int:
    if len(head) < 8:
        raise _damaged(path, "it is shorter than a header")
    length: int = struct.unpack("<Q", head)[0]
    if length > HEADER_LIMIT:
        raise _damaged(path, "it does not begin like safetensors")
    return length


def _span(path: Path, name: str, entry: Any) -> Span:
    try:
        begin, end = map(_count, entry["data_offsets"])
        wanted = math.prod(map(_count, entry["shape"])) * SIZES[entry["dtype"]]
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path, f"it does not describe the tensor {name!r}") from error
    if end - begin != wanted:
        raise _damaged(path, f"the tensor {name!r} has {end - begin} bytes instead of {wanted}")
    return Span(begin, end, name, entry["dtype"])


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError
    return value


def _require_finite(path: Path, start: int, span: Span) -> None:
    if span.dtype not in EXPONENTS:
        return
    import numpy as np

    integers, mask = EXPONENTS[span.dtype]
    count = (span.end - span.begin) // SIZES[span.dtype]
    codes = np.fromfile(path, integers, count, offset=start + span.begin)
    exponent = codes.dtype.type(mask)
    if bool(((codes & exponent) == exponent).any()):
        raise _damaged(path, f"the tensor {span.name!r} holds numbers that are not finite")


def _damaged(path: Path, why: str) -> WeightsError:
    hint = "bring it again, or train anew"
    return WeightsError(f"{path} is not a whole weights file: {why}", hint)
