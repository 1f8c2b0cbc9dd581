"""What ``--data`` names: a dataset, a dataset and a path, or a folder. Light."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path

from intrinsic_cli.api import DataError, DatasetSpec, UsageError
from intrinsic_cli.kit.files.os_errors import is_path, missing, near_to, nothing_at

_NAMES = "give a folder or NAME[:PATH]; `iid datasets` lists the names"


def find_dataset(text: str, datasets: Mapping[str, DatasetSpec]) -> tuple[DatasetSpec, Path | None]:
    """``NAME``, ``NAME:PATH`` or a folder → a description and the path to open. UsageError for a
    name that nothing has, DataError for a path that is not there."""
    name, _, rest = text.partition(":")
    spec = datasets.get(name)
    if spec is not None:
        return spec, _path_for(spec, rest)
    path = Path(text).expanduser()
    if path.is_dir():
        return datasets["folder"], path
    if path.exists():
        raise DataError(f"{text} is not a folder", _NAMES)
    if is_path(text):
        raise DataError(nothing_at(path), missing(path) or _NAMES)
    raise UsageError(f"no dataset or folder called {name!r}", _meant(path, name, datasets))


def _path_for(spec: DatasetSpec, text: str) -> Path | None:
    """The path that is given with a dataset's name, None where there is none and none is
    needed."""
    if not text:
        if spec.needs_path:
            hint = f"write {spec.name}:PATH ({spec.layout})"
            raise UsageError(f"the dataset {spec.name!r} needs a path", hint)
        return None
    path = Path(text).expanduser()
    for part in _parts(spec, path):
        if not part.exists():
            hint = missing(part) or f"{spec.name} expects {spec.layout or 'a folder'}"
            raise DataError(nothing_at(part), hint)
    return path


def _parts(spec: DatasetSpec, path: Path) -> list[Path]:
    """The path; where a dataset takes several with commas between, those that are plainly paths:
    others may mean something to the dataset."""
    if not spec.several or path.exists():
        return [path]
    parts = [part.strip() for part in str(path).split(",")]
    return [Path(part).expanduser() for part in parts if is_path(part)]


def _meant(path: Path, name: str, datasets: Mapping[str, DatasetSpec]) -> str:
    """What was meant by a name: a dataset, or a folder that is here."""
    near = difflib.get_close_matches(name, datasets, n=1)
    folder = near_to(path)
    if not near and folder is not None and folder.is_dir():
        return f"did you mean the folder {folder}? {_NAMES}"
    names = f"datasets: {', '.join(datasets)}"
    return f"did you mean {near[0]!r}? {names}" if near else names
