"""Where the outputs of each photo go. Light: makes names, and opens only sidecars."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from intrinsic_cli.api import UsageError
from intrinsic_cli.kit.files import sidecar
from intrinsic_cli.kit.files.formats import is_video
from intrinsic_cli.kit.files.frame_numbers import is_sequence
from intrinsic_cli.kit.files.frames_folder import frames_folder
from intrinsic_cli.kit.files.outputs import output_files
from intrinsic_cli.runs.decompose.inputs import STDIN, real
from intrinsic_cli.runs.decompose.masks import Masks
from intrinsic_cli.runs.decompose.names import fill
from intrinsic_cli.runs.decompose.plan import Plan
from intrinsic_cli.runs.decompose.shots import FoundPhoto
from intrinsic_cli.runs.decompose.sidecars import Sidecars

#: Kinds of inputs; the last two are clips.
PHOTO, VIDEO, SEQUENCE = "photo", "video", "sequence"


@dataclass(frozen=True, slots=True)
class Target:
    """One photo or clip and where its outputs go. ``path`` is None for stdin, and for a frame
    sequence the pattern of its names; ``base`` is
    ``OUT/relative/stem``, the beginning of the names of all its files; ``mask`` is the file of its
    silhouette, where one was given."""

    input: str
    path: Path | None
    base: Path
    mask: Path | None = None

    @property
    def sidecar(self) -> Path:
        """The file that is written last and says that all is done."""
        return _sidecar(self.base)

    @property
    def preview(self) -> Path:
        """The contact sheet."""
        return self.base.with_name(f"{self.base.name}.preview.png")

    @property
    def kind(self) -> str:
        """Which of the kinds of inputs it is of."""
        if self.path is None:
            return PHOTO
        if is_sequence(self.path):
            return SEQUENCE
        return VIDEO if is_video(self.path) else PHOTO

    @property
    def is_clip(self) -> bool:
        """Is it a video or a frame sequence?"""
        return self.kind != PHOTO

    @property
    def source(self) -> str:
        """The photo as seen from its sidecar, so that both may be moved together; ``-`` for
        stdin."""
        return "-" if self.path is None else _seen_from(self.base.parent, self.path)


def _seen_from(folder: Path, path: Path) -> str:
    """Where ``path`` is from a folder on, links followed."""
    path, folder = real(path), real(folder)
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # two drives of Windows
        return path.as_posix()


def choose_targets(
    photos: Sequence[FoundPhoto],
    out: Path,
    plan: Plan,
    sidecars: Sidecars,
    is_of: Callable[[Path, Path], bool] = lambda base, photo: False,
) -> list[Target]:
    """A target for each photo, no two the same: photos whose stems agree, or whose place an earlier
    run gave to a photo of another name, keep their extension, and a number where even that does not
    tell them apart. Where ``is_of`` or the sidecar knows the outputs at a base to be a photo's, it
    stays there."""
    wanted = _wanted(photos, out, plan, sidecars, is_of)
    names = _free_names(wanted, {})
    together = list(zip(photos, names, strict=True))
    # Where all is as it was, nobody need be looked for: that takes long if many have one name.
    if not all(is_of(out / name, photo.path) for photo, name in together):
        names = _free_names(wanted, _Places(out, sidecars, is_of).of_all(wanted, photos))
    masks = Masks(plan.request.mask, len(photos))
    return [_target(photo, out / name, masks) for photo, name in zip(photos, names, strict=True)]


def _free_names(wanted: Sequence[Path], kept: Mapping[int, Path]) -> list[Path]:
    """The names that are ``kept``, by the number of their photo, and free ones like those that the
    other photos would have."""
    taken = set(map(_key, kept.values()))
    return [kept.get(number) or _free(name, taken) for number, name in enumerate(wanted)]


class _Places:
    """The names below ``out`` that outputs of photos have already."""

    def __init__(self, out: Path, sidecars: Sidecars, is_of: Callable[[Path, Path], bool]) -> None:
        self._out, self._sidecars, self._is_of = out, sidecars, is_of
        self._by_source: dict[Path, dict[str, Path]] = {}

    def of_all(self, wanted: Sequence[Path], photos: Sequence[FoundPhoto]) -> dict[int, Path]:
        """Those of ``photos``, by their numbers, as far as they have any."""
        taken: set[str] = set()
        kept: dict[int, Path] = {}
        for number, name in enumerate(wanted):
            found = self._of(name, photos[number].path)
            if found is not None and _key(found) not in taken:
                kept[number] = _free(found, taken)
        return kept

    def _of(self, name: Path, photo: Path) -> Path | None:
        """``name``, with whatever number, where the outputs of the photo are."""
        if self._is_of(self._out / name, photo):
            return name
        if photo == STDIN:
            return None
        if name not in self._by_source:
            self._by_source[name] = self._sources(name)
        found = self._by_source[name]
        return found.get(_seen_from((self._out / name).parent, photo)) if found else None

    def _sources(self, name: Path) -> dict[str, Path]:
        """Whose outputs have ``name``, with and without a number."""
        found: dict[str, Path] = {}
        for one in _numbered(name):
            facts = self._sidecars.read(_sidecar(self._out / one))
            if facts is None:
                return found
            found.setdefault(str(facts.get("source", "")), one)
        return found


def _wanted(
    photos: Sequence[FoundPhoto],
    out: Path,
    plan: Plan,
    sidecars: Sidecars,
    is_of: Callable[[Path, Path], bool],
) -> list[Path]:
    """The name that each photo's outputs would have without a number."""
    short = [named(plan, photo.relative.with_suffix("")) for photo in photos]
    count = Counter(map(_key, short))
    names: list[Path] = []
    for photo, name in zip(photos, short, strict=True):
        base = out / name
        if not is_of(base, photo.path):
            twins = count[_key(name)] > 1
            if twins or _is_taken(base, photo.path.name, sidecars):
                name = named(plan, photo.relative)
        names.append(name)
    return names


def plan_for(target: Target, plan: Plan) -> Plan:
    """What is to be done with one of the inputs."""
    kind = target.kind
    return plan if kind == PHOTO else plan.for_clip(as_frames=kind == SEQUENCE)


def _free(name: Path, taken: set[str]) -> Path:
    """``name``, with a number where it is taken; from now on it is."""
    free = next(one for one in _numbered(name) if _key(one) not in taken)
    taken.add(_key(free))
    return free


def _target(photo: FoundPhoto, base: Path, masks: Masks) -> Target:
    path = None if photo.path == STDIN else photo.path
    return Target(str(photo.path), path, base, masks.of(photo.path, photo.relative))


def named(plan: Plan, relative: Path) -> Path:
    """``relative`` with its last part as the name pattern wants it."""
    words = {
        "stem": relative.name,
        "method": plan.choice.spec.name,
        "variant": plan.choice.variant.name or "default",
        "format": plan.request.format,
    }
    return relative.parent / fill(plan.request.name, words)


def check_targets(targets: Sequence[Target], plan: Plan) -> None:
    """UsageError where an output would take the place of a photo."""
    paths = [target.path for target in targets if target.path is not None]
    names = {path.name for path in paths}
    photos: set[Path] = set()
    for target in targets:
        # Asking the disk takes long where there are very many; few names agree.
        near = [path for path in files_of(target, plan) if path.name in names]
        if near and not photos:
            photos.update(map(real, paths))
        clash = sorted(path for path in near if real(path) in photos)
        if clash:
            message = f"{clash[0]} is an input and would be overwritten"
            raise UsageError(message, "choose another -o folder")
    _check_folders(targets, plan)


def _check_folders(targets: Sequence[Target], plan: Plan) -> None:
    """UsageError where an input lies in a folder that pictures of a clip would replace."""
    folders = {}
    for target in targets:
        folder = folder_of(target, plan)
        if folder is not None and folder.exists():
            folders[real(folder)] = folder
    if not folders:
        return
    for target in targets:
        clash = next((place for place in _folders_around(target) if place in folders), None)
        if clash is not None:
            message = f"{target.input} is an input, and {folders[clash]} would be replaced"
            raise UsageError(message, "choose another -o folder")


def _folders_around(target: Target) -> Iterator[Path]:
    """The folders that an input lies in, near and far; those of a link, and of what it leads to."""
    if target.path is not None:
        near = real(target.path.parent)
        yield from (near, *near.parents)
        yield from real(target.path).parents


def folder_of(target: Target, plan: Plan) -> Path | None:
    """The folder that the pictures of a clip become, None where its layers become videos, and for
    photos."""
    if target.is_clip and plan_for(target, plan).makes_frames:
        return frames_folder(target.base)
    return None


def files_of(target: Target, plan: Plan) -> set[Path]:
    """The files that a photo's outputs may become, or a clip's beside its :func:`folder_of`."""
    files = {target.preview}
    if target.is_clip:
        files.update(target.base.with_name(f"{target.base.name}.{n}.mp4") for n in plan.outputs)
        return files
    for name in plan.outputs:
        kind = plan.choice.variant.kind(name)
        files.update(output_files(target.base, name, kind, plan.request.format))
    return files


def _is_taken(base: Path, name: str, sidecars: Sidecars) -> bool:
    """Whether a photo that is not called ``name`` has its outputs at ``base``."""
    facts = sidecars.read(_sidecar(base))
    return facts is not None and facts.get("input") not in (name, None)


def _sidecar(base: Path) -> Path:
    return base.with_name(f"{base.name}{sidecar.SUFFIX}")


def _key(name: Path) -> str:
    """Names that one of the common file systems would take for the same have the same key."""
    return unicodedata.normalize("NFC", name.as_posix()).casefold()


def _numbered(name: Path) -> Iterator[Path]:
    yield name
    number = 2
    while True:
        yield name.with_name(f"{name.name}-{number}")
        number += 1
