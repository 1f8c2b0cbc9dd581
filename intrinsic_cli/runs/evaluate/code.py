"""What a score was computed by: the Python files of the packages at work."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterable, Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path


def code_of(modules: Iterable[str]) -> dict[str, str]:
    """A digest of the Python files of each package that one of ``modules`` belongs to, by its name.
    Files that are edited, with no new version, give another one."""
    packages = {module.partition(".")[0] for module in modules}
    return {package: _digest(package) for package in sorted(packages)}


def _digest(package: str) -> str:
    """One digest of all files and their names below the package; that of nothing where it has no
    files."""
    digest = hashlib.sha256()
    for name, file in _files(_found(package)):
        digest.update(name.encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _found(package: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(package)
    except (ImportError, ValueError):  # a module that was made in memory
        return None


def _files(spec: ModuleSpec | None) -> Iterator[tuple[str, Path]]:
    """Each Python file with its name in the package, in a fixed order."""
    if spec is None:
        return
    for folder in spec.submodule_search_locations or ():
        for file in sorted(Path(folder).rglob("*.py")):
            yield file.relative_to(folder).as_posix(), file
    if not spec.submodule_search_locations and spec.origin and Path(spec.origin).is_file():
        yield Path(spec.origin).name, Path(spec.origin)
