"""Where weights live: a given path, then ``$IID_HOME/weights``, then the plugin's own package.
Paths only, no torch.

A weights file is safetensors: eight bytes of header length, a JSON header, raw tensors. That much
is read here with the standard library; loading the tensors is the business of ``kit.checkpoint``.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import struct
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from intrinsic_cli.api import MethodSpec, Variant, WeightsError
from intrinsic_cli.registry import Registry

SUFFIX = ".safetensors"
HEADER_LIMIT = 100_000_000  # bytes; the format's own limit
BITS = {
    "F64": 64,
    "I64": 64,
    "U64": 64,
    "F32": 32,
    "I32": 32,
    "U32": 32,
    "F16": 16,
    "BF16": 16,
    "I16": 16,
    "U16": 16,
}


class WeightsFile(NamedTuple):
    """Weights found on this machine. ``place`` is ``home`` or ``packaged``; ``method`` "" when
    nobody claims them."""

    name: str
    method: str
    variant: str
    place: str
    path: Path


def home() -> Path:
    """Where ``iid`` keeps what it installs: ``$IID_HOME``, else the platform's place for user
    data."""
    if given := os.environ.get("IID_HOME"):
        return Path(given).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData/Local")) / "iid"
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/iid"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "iid"


def weights_name(spec: MethodSpec, variant: Variant) -> str:
    """``flow`` or ``flow-albedo16``: the stem of the weights file."""
    return f"{spec.name}-{variant.name}" if variant.name else spec.name


def find_weights(spec: MethodSpec, variant: Variant, given: str = "") -> Path | None:
    """The weights to use, or None for a variant that has nothing to train."""
    if not variant.stages:
        return None
    if given and Path(given).expanduser().is_file():
        return Path(given).expanduser()
    name = given or weights_name(spec, variant)
    for folder in (home() / "weights", *_packaged(spec)):
        path = folder / f"{name.removesuffix(SUFFIX)}{SUFFIX}"
        if path.is_file():
            return path
    raise _missing(spec, variant, given)


def sha256(path: Path) -> str:
    """The file's hash, remembered as long as it does not change."""
    facts = path.stat()
    return _sha256(path, facts.st_mtime_ns, facts.st_size)


def read_record(path: Path) -> dict[str, Any]:
    """How the weights came to be: method, variant, stages, steps, data, command, seconds, scores.
    {} if not told."""
    try:
        record = json.loads(_header(path).get("__metadata__", {}).get("record", "{}"))
    except (ValueError, AttributeError) as error:
        raise _damaged(path, "its training record is not JSON") from error
    return record if isinstance(record, dict) else {}


def verify(path: Path) -> str:
    """Check that the file is whole and, where a ``.sha256`` file lies beside it, the one that was
    shipped.

    Returns the file's sha256. Raises WeightsError.
    """
    header = _header(path)
    spans = sorted(
        _span(path, name, entry) for name, entry in header.items() if name != "__metadata__"
    )
    ends = [0, *(end for _, end in spans)]
    if [begin for begin, _ in spans] != ends[:-1]:
        raise _damaged(path, "its tensors overlap or leave holes")
    if path.stat().st_size != _data_start(path) + ends[-1]:
        raise _damaged(path, "its size is not what its header says")
    read_record(path)
    digest, beside = sha256(path), path.with_name(f"{path.name}.sha256")
    if beside.is_file() and beside.read_text().split()[:1] != [digest]:
        raise _damaged(path, f"its sha256 is not the one in {beside.name}")
    return digest


def install(path: Path, spec: MethodSpec, variant: Variant) -> Path:
    """Copy verified weights to where ``iid`` finds them by name."""
    from intrinsic_cli.kit.files.atomic import replacing

    verify(path)
    target = home() / "weights" / f"{weights_name(spec, variant)}{SUFFIX}"
    if target.exists() and target.samefile(path):
        return target
    with replacing(target) as temporary:
        temporary.write_bytes(path.read_bytes())
    return target


def list_weights(registry: Registry) -> list[WeightsFile]:
    """Every weights file on this machine, by name; what is in the home folder hides what is
    packaged."""
    found: list[WeightsFile] = []
    claimed: set[Path] = set()
    for spec in registry.methods.values():
        folders = [
            ("home", home() / "weights"),
            *(("packaged", folder) for folder in _packaged(spec)),
        ]
        for place, folder in folders:
            for variant in spec.variants:
                name = weights_name(spec, variant)
                if (path := folder / f"{name}{SUFFIX}").is_file() and path not in claimed:
                    found.append(WeightsFile(name, spec.name, variant.name, place, path))
                    claimed.add(path)
    strays = [path for path in (home() / "weights").glob(f"*{SUFFIX}") if path not in claimed]
    return sorted([*found, *(WeightsFile(path.stem, "", "", "home", path) for path in strays)])


def _packaged(spec: MethodSpec) -> Iterator[Path]:
    """The weights folder of the plugin's package, found without importing it."""
    found = find_spec(spec.target.partition(":")[0].partition(".")[0])
    for location in (found.submodule_search_locations or ()) if found else ():
        yield Path(location) / "weights"


def _missing(spec: MethodSpec, variant: Variant, given: str) -> WeightsError:
    name = spec.title(variant)
    if given:
        return WeightsError(
            f"no weights called {given!r}", "give a file, or a name that `iid weights list` shows"
        )
    hint = f"train them with `iid train --plugin {name} --install` or bring them with `iid weights import FILE`"
    return WeightsError(f"there are no weights for {name}", hint)


@cache
def _sha256(path: Path, _mtime: int, _size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _data_start(path: Path) -> int:
    with path.open("rb") as file:
        head = file.read(8)
    if len(head) < 8:
        raise _damaged(path, "it is shorter than a header")
    length: int = struct.unpack("<Q", head)[0]
    if length > HEADER_LIMIT:
        raise _damaged(path, "it does not begin like safetensors")
    return 8 + length


def _header(path: Path) -> dict[str, Any]:
    try:
        length = _data_start(path) - 8
        with path.open("rb") as file:
            file.seek(8)
            header = json.loads(file.read(length))
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise _damaged(path, "its header is not JSON") from error
    return header if isinstance(header, dict) else {}


def _span(path: Path, name: str, entry: Any) -> tuple[int, int]:
    try:
        begin, end = entry["data_offsets"]
        wanted = math.prod(entry["shape"]) * BITS.get(entry["dtype"], 8) // 8
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path, f"it does not describe the tensor {name!r}") from error
    if end - begin != wanted:
        raise _damaged(path, f"the tensor {name!r} has {end - begin} bytes instead of {wanted}")
    return begin, end


def _damaged(path: Path, why: str) -> WeightsError:
    return WeightsError(
        f"{path} is not a whole weights file: {why}", "bring it again, or train anew"
    )
