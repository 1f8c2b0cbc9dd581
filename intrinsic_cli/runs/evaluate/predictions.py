"""Layers that some program left in a folder, found by how such files are commonly named. Light:
opens only sidecars."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from glob import escape
from pathlib import Path
from typing import Any

from intrinsic_cli.api import DataError, UsageError
from intrinsic_cli.kit.files import sidecar
from intrinsic_cli.kit.files.formats import PHOTO_SUFFIXES
from intrinsic_cli.kit.files.os_errors import missing
from intrinsic_cli.kit.files.read_layers import LayerFile
from intrinsic_cli.runs.evaluate import prediction_names as names

_ARRAYS = (".npz", ".npy")
#: Where two files have one name: float formats first, lossy ones last.
_RANK = (*_ARRAYS, ".exr", ".pfm", ".hdr", ".tiff", ".tif", ".png")


class MissingError(DataError):
    """A case without its files, called as those of the other cases are."""

    def __init__(self, folder: Path, files: tuple[str, ...]) -> None:
        super().__init__(names.lacking(str(folder), files), names.HINT)
        self.files = files


class Predictions:
    """The layers in ``folder``. ``patterns``: layer → glob, relative to the folder, with
    ``{case}``; ``offers``: the layers that are there."""

    def __init__(self, folder: Path, patterns: Mapping[str, str], encoding: str = "auto") -> None:
        self.folder, self._patterns, self._encoding = folder, patterns, encoding
        self._files: dict[str, list[Path]] = {}
        self._sidecars: dict[str, Mapping[str, Any]] = {}
        self._take_in()
        known = dict.fromkeys([*names.LABELS, *patterns])
        self.offers = tuple(layer for layer in known if self._offers(layer))
        if not self.offers:
            message = f"{folder} holds no albedo or shading that iid recognises"
            raise DataError(f"{message}: {self._sample()}", names.HINT)
        # How a file that was found is called, so that those missing are called likewise.
        self._templates: dict[str, str] = {}
        for layer in self.offers:
            self._templates[layer] = patterns.get(layer, f"{{case}}.{layer}.*")

    def find(self, case: str, layers: Iterable[str]) -> dict[str, LayerFile]:
        """The files of those ``layers`` of ``case`` that the folder offers at all. MissingError
        names those that are not there: scores of an incomplete case would not be comparable."""
        wanted = set(layers).intersection(self.offers)
        found: dict[str, LayerFile] = {}
        missing = []
        for layer in self.offers:
            if layer in wanted:
                file = self._find(case, layer)
                if file:
                    found[layer] = file
                else:
                    missing.append(self._templates[layer].replace("{case}", case))
        if missing:
            raise MissingError(self.folder, tuple(missing))
        return found

    def _find(self, case: str, layer: str) -> LayerFile | None:
        if layer in self._patterns:
            return self._match(case, layer)
        return (
            self._told_by_sidecar(case, layer)
            or self._named(case, layer)
            or self._packed(case, layer)
        )

    def _match(self, case: str, layer: str) -> LayerFile | None:
        pattern = self._patterns[layer]
        glob = pattern.replace("{case}", escape(case))
        files = [path for path in self._all() if fnmatchcase(self._relative(path), glob)]
        if len(files) > 1:
            both = f"{files[0].name} and {files[1].name}"
            raise DataError(f"{pattern!r} fits {both} of {case}", "write more of the name into it")
        if not files:
            return None
        return LayerFile(files[0], self._encoding, array=layer)

    def _told_by_sidecar(self, case: str, layer: str) -> LayerFile | None:
        for name in names.photo_names(case):
            facts = self._sidecars.get(name.casefold(), {}).get(layer)
            if isinstance(facts, Mapping):
                path = (self.folder / name).parent / str(facts.get("file", ""))
                if path.is_file():
                    encoding = str(facts.get("encoding", "auto"))
                    return LayerFile(path, encoding, float(facts.get("scale", 1.0)), layer)
        return None

    def _named(self, case: str, layer: str) -> LayerFile | None:
        for template, name in names.layer_names(case, layer):
            files = self._files.get(name.casefold())
            if files:
                self._templates[layer] = f"{template}{files[0].suffix}"
                return LayerFile(files[0], self._encoding)
        return None

    def _packed(self, case: str, layer: str) -> LayerFile | None:
        """An array of that name in a file of several."""
        for name in names.photo_names(case):
            for path in self._files.get(name.casefold(), ()):
                arrays = _arrays(path)
                for label in names.labels_of(layer):
                    if label in arrays:
                        self._templates[layer] = f"{{case}}.npz:{label}"
                        return LayerFile(path, self._encoding, array=label)
        return None

    def _offers(self, layer: str) -> bool:
        """Does any file look like this layer of some case?"""
        if layer in self._patterns:
            return True
        if any(layer in layers for layers in self._sidecars.values()):
            return True
        if any(map(names.looks_like(layer).fullmatch, self._files)):
            return True
        labels = set(names.labels_of(layer))
        return any(labels & _arrays(path) for path in self._all())

    def _take_in(self) -> None:
        for path in _walk(self.folder):
            suffix = path.suffix.lower()
            if path.name.endswith(sidecar.SUFFIX):
                name = self._relative(path).removesuffix(sidecar.SUFFIX).casefold()
                self._sidecars[name] = _layers_told(path)
            elif suffix in PHOTO_SUFFIXES or suffix in _ARRAYS:
                name = self._relative(path.with_suffix("")).casefold()
                self._files.setdefault(name, []).append(path)
        for files in self._files.values():
            files.sort(key=_rank)

    def _all(self) -> Iterator[Path]:
        return (path for files in self._files.values() for path in files)

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def _sample(self) -> str:
        paths = sorted(map(self._relative, self._all()))
        if not paths:
            return "it holds no picture at all"
        more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
        return f"it holds {', '.join(paths[:3])}{more}"


def open_predictions(text: str, patterns: Iterable[str], encoding: str) -> tuple[str, Predictions]:
    """``DIR`` or ``NAME=DIR`` → (name, layers). UsageError for a pattern, DataError for a folder
    that will not do."""
    name, equals, rest = text.partition("=")
    is_named = bool(equals) and not Path(text).is_dir()
    folder = Path(rest if is_named else text).expanduser()
    if not folder.is_dir():
        hint = "give DIR or NAME=DIR"
        if not folder.exists():
            hint = missing(folder) or hint
        raise DataError(f"there is no folder of predictions at {folder}", hint)
    label = name if is_named else folder.resolve().name
    globs = dict(map(_pattern, patterns))
    return label, Predictions(folder, globs, encoding)


def _pattern(text: str) -> tuple[str, str]:
    layer, _, glob = text.partition("=")
    if not glob or "{case}" not in glob:
        hint = "write LAYER=GLOB with {case} in it, like 'albedo={case}_ref.png'"
        raise UsageError(f"{text!r} is no pattern", hint)
    return layer.strip(), glob.strip()


def _walk(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name[0] != ".")
        for name in sorted(files):
            if name[0] != ".":
                yield Path(place, name)


def _layers_told(path: Path) -> Mapping[str, Any]:
    """What a sidecar says of the layers beside it; nothing, if it is damaged."""
    layers = (sidecar.read(path) or {}).get("layers")
    return layers if isinstance(layers, Mapping) else {}


def _rank(path: Path) -> tuple[int, str]:
    suffix = path.suffix.lower()
    return (_RANK.index(suffix) if suffix in _RANK else len(_RANK)), path.name


def _arrays(path: Path) -> set[str]:
    """The names of the arrays in an ``.npz``, which is a zip archive."""
    if path.suffix.lower() != ".npz":
        return set()
    try:
        with zipfile.ZipFile(path) as archive:
            return {name.removesuffix(".npy") for name in archive.namelist()}
    except (OSError, zipfile.BadZipFile):
        return set()
