"""Layers that some program left in a folder, found by how such files are commonly named. Light:
opens only sidecars."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from glob import escape
from pathlib import Path
from typing import Any

from intrinsic_cli.api import DataError, UsageError
from intrinsic_cli.kit.files import sidecar
from intrinsic_cli.kit.files.formats import PHOTO_SUFFIXES
from intrinsic_cli.kit.files.read_layers import LayerFile

#: Layer → what files call it, most common first (``-r`` and ``-s`` are Bell et al.'s and Grosse et
#: al.'s).
LABELS: Mapping[str, tuple[str, ...]] = {
    "albedo": ("albedo", "reflectance", "refl", "r"),
    "shading": ("shading", "illumination", "shade", "s"),
    "normals": ("normals", "normal"),
    "residual": ("residual", "specular"),
    "transmission": ("transmission", "background"),
    "reflection": ("reflection",),
    "flare": ("flare",),
}
#: How the file of a photo may be called besides the name of its case.
_PHOTOS = ("image", "photo", "diffuse", "original", "input")
_JOINTS = (".", "_", "-")
_NAMED = 4
_ARRAYS = (".npz", ".npy")
#: Where two files have one name: float formats first, lossy ones last.
_RANK = (*_ARRAYS, ".exr", ".pfm", ".hdr", ".tiff", ".tif", ".png")

LAYOUT = "CASE.albedo.*, CASE_albedo.*, CASE-albedo.*, albedo/CASE.* or CASE/albedo.*"
HINT = f"iid looks for {LAYOUT}; say otherwise with --pattern 'albedo={{case}}_ref.png'"


class MissingError(DataError):
    """A case without its files, called as those of the other cases are."""

    def __init__(self, folder: Path, files: tuple[str, ...]) -> None:
        super().__init__(lacking(str(folder), files), HINT)
        self.files = files


def lacking(whose: str, files: Sequence[str]) -> str:
    """One sentence that names missing files, at most four of them."""
    more = f" and {len(files) - _NAMED} more" if len(files) > _NAMED else ""
    return f"{whose} lacks {', '.join(files[:_NAMED])}{more}"


class Predictions:
    """The layers in ``folder``. ``patterns``: layer → glob, relative to the folder, with
    ``{case}``."""

    def __init__(self, folder: Path, patterns: Mapping[str, str], encoding: str = "auto") -> None:
        self.folder, self._patterns, self._encoding = folder, patterns, encoding
        self._files: dict[str, list[Path]] = {}
        self._told: dict[str, Mapping[str, Any]] = {}
        self._take_in()
        known = dict.fromkeys([*LABELS, *patterns])
        self.offers = tuple(layer for layer in known if self._offers(layer))
        if not self.offers:
            raise DataError(
                f"{folder} holds no albedo or shading that iid recognises: {self._sample()}", HINT
            )
        self._templates = {
            layer: patterns.get(layer, f"{{case}}.{layer}.*") for layer in self.offers
        }

    def find(self, case: str, layers: Iterable[str]) -> dict[str, LayerFile]:
        """The files of those ``layers`` of ``case`` that the folder offers at all. MissingError
        names those that are not there: figures of half a case would not be comparable."""
        wanted = set(layers).intersection(self.offers)
        found = {layer: self._find(case, layer) for layer in self.offers if layer in wanted}
        if lacking := [layer for layer, stored in found.items() if stored is None]:
            raise MissingError(
                self.folder,
                tuple(self._templates[layer].replace("{case}", case) for layer in lacking),
            )
        return {layer: stored for layer, stored in found.items() if stored}

    def _find(self, case: str, layer: str) -> LayerFile | None:
        if layer in self._patterns:
            return self._match(case, layer)
        for name in _names(case):
            facts = self._told.get(name.casefold(), {}).get(layer)
            if facts and (path := self._beside(name, facts)):
                return LayerFile(
                    path, str(facts.get("encoding", "auto")), float(facts.get("scale", 1.0)), layer
                )
        for template, key in _keys(case, layer):
            if files := self._files.get(key.casefold()):
                self._templates[layer] = f"{template}{files[0].suffix}"
                return LayerFile(files[0], self._encoding)
        return self._unpack(case, layer)

    def _match(self, case: str, layer: str) -> LayerFile | None:
        glob = self._patterns[layer].replace("{case}", escape(case))
        files = [
            path
            for path in self._all()
            if fnmatchcase(path.relative_to(self.folder).as_posix(), glob)
        ]
        if len(files) > 1:
            raise DataError(
                f"{self._patterns[layer]!r} fits {files[0].name} and {files[1].name} of {case}"
            )
        return LayerFile(files[0], self._encoding, array=layer) if files else None

    def _beside(self, name: str, facts: Mapping[str, Any]) -> Path | None:
        path = (self.folder / name).parent / str(facts.get("file", ""))
        return path if path.is_file() else None

    def _unpack(self, case: str, layer: str) -> LayerFile | None:
        """An array of that name in a file of several."""
        for name in _names(case):
            for path in self._files.get(name.casefold(), ()):
                if label := next(
                    (label for label in LABELS.get(layer, (layer,)) if label in _arrays(path)), ""
                ):
                    self._templates[layer] = f"{{case}}.npz:{label}"
                    return LayerFile(path, self._encoding, array=label)
        return None

    def _offers(self, layer: str) -> bool:
        """Does any file look like this layer of some case?"""
        if layer in self._patterns or any(layer in layers for layers in self._told.values()):
            return True
        labels = "|".join(map(re.escape, LABELS[layer]))
        look = re.compile(rf".*[._-]({labels})|(.*/)?({labels})/.+|.+/({labels})")
        packed = (path for path in self._all() if path.suffix.lower() == ".npz")
        return any(map(look.fullmatch, self._files)) or any(
            _arrays(path) & {*LABELS[layer]} for path in packed
        )

    def _take_in(self) -> None:
        for path in _walk(self.folder):
            relative = path.relative_to(self.folder)
            if path.name.endswith(sidecar.SUFFIX):
                name = relative.as_posix().removesuffix(sidecar.SUFFIX).casefold()
                self._told[name] = (sidecar.read(path) or {}).get("layers", {})
            elif path.suffix.lower() in PHOTO_SUFFIXES or path.suffix.lower() in _ARRAYS:
                self._files.setdefault(relative.with_suffix("").as_posix().casefold(), []).append(
                    path
                )
        for files in self._files.values():
            files.sort(key=_rank)

    def _all(self) -> Iterator[Path]:
        return (path for files in self._files.values() for path in files)

    def _sample(self) -> str:
        names = sorted(path.relative_to(self.folder).as_posix() for path in self._all())
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        return f"it holds {', '.join(names[:3])}{more}" if names else "it holds no picture at all"


def open_predictions(text: str, patterns: Iterable[str], encoding: str) -> tuple[str, Predictions]:
    """``DIR`` or ``NAME=DIR`` → (name, layers). UsageError for a pattern, DataError for a folder
    that will not do."""
    name, equals, rest = text.partition("=")
    folder = Path(rest if equals and not Path(text).is_dir() else text).expanduser()
    if not folder.is_dir():
        raise DataError(f"there is no folder of predictions at {folder}", "give DIR or NAME=DIR")
    label = name if equals and not Path(text).is_dir() else folder.resolve().name
    return label, Predictions(folder, dict(map(_pattern, patterns)), encoding)


def _pattern(text: str) -> tuple[str, str]:
    layer, _, glob = text.partition("=")
    if not glob or "{case}" not in glob:
        raise UsageError(
            f"{text!r} is no pattern",
            "write LAYER=GLOB with {case} in it, like 'albedo={case}_ref.png'",
        )
    return layer.strip(), glob.strip()


def _names(case: str) -> Iterator[str]:
    """What comes before the label or the sidecar's suffix: the case, or its photo's file."""
    for template in _STEMS:
        for name in dict.fromkeys((case, case.replace("/", "_"), case.replace("/", "-"))):
            yield template.format(case=name)


_STEMS = (
    "{case}",
    *(f"{{case}}_{photo}" for photo in _PHOTOS),
    *(f"{{case}}/{photo}" for photo in _PHOTOS),
)


def _keys(case: str, layer: str) -> Iterator[tuple[str, str]]:
    """(template, path without suffix) in the order in which files are looked for."""
    for label in LABELS.get(layer, (layer,)):
        templates = [f"{stem}{joint}{label}" for stem in _STEMS for joint in _JOINTS]
        for template in (*templates, f"{label}/{{case}}", f"{{case}}/{label}"):
            for name in dict.fromkeys((case, case.replace("/", "_"), case.replace("/", "-"))):
                yield template, template.format(case=name)


def _walk(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name[0] != ".")
        yield from (Path(place, name) for name in sorted(names) if name[0] != ".")


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
