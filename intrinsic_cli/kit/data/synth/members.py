"""Scenes of one kind among those of shards, and what is known of them beside the shards."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.data.synth.shards import KEPT, Shards

if TYPE_CHECKING:
    from intrinsic_cli.kit.data.synth.shards import Scene

SPLITS = ("train", "val")


class Members:
    """The scenes below a folder of ``*.tar`` whose keys are ``wanted``, decoded when they are asked
    for and kept in memory while ``keep`` bytes are not used up. There may be none."""

    def __init__(self, folder: Path, wanted: Callable[[str], bool], keep: int = KEPT) -> None:
        self._shards = Shards(folder, keep=keep)
        self._keys = self._shards.keys()
        self._places = [place for place, key in enumerate(self._keys) if wanted(key)]

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int) -> Scene:
        return self._shards[self._places[index]]

    def key(self, index: int) -> str:
        """What a scene is called; decodes none."""
        return self._keys[self._places[index]]

    def first(self, count: int) -> Members:
        """The first ``count`` of them."""
        some = copy(self)
        some._places = self._places[:count]
        return some


def require_splits(folder: Path) -> None:
    """DataError where there is neither train/ nor val/ below ``folder``."""
    if not any((folder / split).is_dir() for split in SPLITS):
        message = f"{folder} has no train/ or val/ folder of shards"
        raise DataError(message, "give the folder above them")


def read_known(path: Path) -> dict[str, Any]:
    """What a JSON file beside shards knows, by the scenes' keys; {} where there is no such file.
    DataError where it cannot be read."""
    if not path.is_file():
        return {}
    try:
        known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        hint = "make it again, as the shards beside it were made"
        raise DataError(f"{path} is not readable: {error}", hint) from error
    return known
