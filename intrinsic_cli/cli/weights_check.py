"""Which weights ``iid weights verify`` looks at, and what it says of each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from intrinsic_cli.api import PluginError, WeightsError
from intrinsic_cli.kit.files.os_errors import is_path, missing, nothing_at
from intrinsic_cli.registry import Registry
from intrinsic_cli.weights import WeightsFile, list_weights, read_record, sha256, verify

_LIST = "`iid weights list` shows what there is"


def choose(names: tuple[str, ...], registry: Registry) -> Iterator[WeightsFile]:
    """The named weights (or files), or all on this machine."""
    files = list_weights(registry)
    if not names:
        yield from files
    for name in names:
        found = [file for file in files if file.name == name]
        if found:
            yield from found
        elif Path(name).is_file():
            yield WeightsFile(name, "", "", "file", Path(name))
        elif is_path(name):
            raise WeightsError(nothing_at(Path(name)), missing(Path(name)) or _LIST)
        else:
            raise WeightsError(f"no weights called {name!r}", _LIST)


def check(file: WeightsFile, registry: Registry) -> dict[str, Any]:
    """``ok`` with the hash, or ``damaged`` with the reason."""
    told = {"name": file.name, "path": file.path, "status": "ok", "sha256": "", "error": ""}
    try:
        told["sha256"] = _digest(file, registry)
    except WeightsError as error:
        told |= {"status": "damaged", "error": error.message}
    return told


def whose(path: Path, registry: Registry) -> str:
    """``NAME`` or ``NAME:VARIANT`` that the file is for: that of the same file on this machine
    (weights of two variants tell of the one that was trained last), else what its record says."""
    digest = sha256(path)
    for file in list_weights(registry):
        if file.method and sha256(file.path) == digest:
            return ":".join(filter(None, (file.method, file.variant)))
    return method_of(path)


def method_of(path: Path) -> str:
    """``NAME`` or ``NAME:VARIANT`` by the file's record, "" where it does not say."""
    record = read_record(path)
    words = [record.get("method"), record.get("variant")]
    return ":".join(word for word in words if isinstance(word, str) and word)


def _digest(file: WeightsFile, registry: Registry) -> str:
    """The sha256 of a file that is whole and, where its method is known, fits that."""
    from intrinsic_cli.runs.check_weights import check_weights

    title = ":".join(filter(None, (file.method, file.variant))) or method_of(file.path)
    if title.partition(":")[0] in registry.methods:
        with suppress(PluginError):  # a broken plugin says nothing about its weights
            return check_weights(file.path, *registry.resolve(title))
    return verify(file.path)
