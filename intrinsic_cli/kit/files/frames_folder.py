"""``<stem>.frames``: the folder of the pictures made of a clip, and whether what lies there is
iid's own, so that it may be replaced. Light: looks at names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from intrinsic_cli.kit.files import sidecar
from intrinsic_cli.kit.files.atomic import PREFIX
from intrinsic_cli.kit.files.formats import LAYER_SUFFIXES, TOGETHER, layer_suffix

Facts = Mapping[str, Any]
#: What the name of the folder ends in.
ENDING = ".frames"
#: Files that the system leaves in folders that people look at.
_SYSTEM = (".DS_Store", "Thumbs.db", "desktop.ini")


def frames_folder(base: Path) -> Path:
    """Where the pictures of the clip lie whose files begin with ``base``."""
    return base.with_name(f"{base.name}{ENDING}")


@dataclass(frozen=True, slots=True)
class FrameFiles:
    """What iid writes of the frames of a clip: ``<frame>.<layer><suffix>`` for each of ``layers``,
    in any format of layers, and ``<frame><together>``, where that is the suffix of a format of
    which one file holds all layers."""

    layers: frozenset[str]
    together: str = ""

    def may_be(self, name: str) -> bool:
        """Can a file of this name be one of them?"""
        stem, suffix = os.path.splitext(name)  # noqa: PTH122  a name
        if suffix and suffix == self.together:
            return True
        frame, _, layer = stem.rpartition(".")
        return bool(frame) and layer in self.layers and suffix in LAYER_SUFFIXES.values()


def own_files(layers: Iterable[str], facts: Facts | None, name: str) -> FrameFiles:
    """What iid writes, and has written, into the folder called ``name``: ``layers``, and those of
    the sidecar ``facts`` where it vouches for that folder. Without it, files that are called as
    frames are may be anybody's."""
    if facts is None or name not in sidecar.files(facts):
        return FrameFiles(frozenset(layers))
    vouched = frozenset(facts["layers"])
    form = facts.get("format")
    together = layer_suffix(form) if form in TOGETHER else ""
    return FrameFiles(vouched.union(layers), together)


def stranger_in(folder: Path, files: FrameFiles) -> Path | None:
    """A file or folder in ``folder`` that iid has not written, ``folder`` itself where it is none,
    and None where all of it is iid's, or there is nothing. OSError."""
    if not os.path.lexists(folder):
        return None
    if not folder.is_dir():
        return folder
    for entry in sorted(folder.iterdir()):
        passing = entry.name in _SYSTEM or entry.name.startswith(PREFIX)
        if entry.is_dir() or not (passing or files.may_be(entry.name)):
            return entry
    return None
