"""Records: numbers and words as JSON files."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from intrinsic_cli.api import PluginError
from intrinsic_cli.kit.files.atomic import write_text
from intrinsic_cli.kit.files.json_text import as_json

SUFFIX = ".json"

_DEEPEST = 50  # levels: a record that holds itself would have no end


def write_record(place: Path, record: Mapping[str, Any]) -> Path:
    """Write ``record`` as ``<place>.json``, UTF-8. PluginError where JSON cannot hold it."""
    if not isinstance(record, Mapping):
        hint = "give a mapping of names to numbers and words"
        raise PluginError(f"it is a {type(record).__name__}, not a record", hint)
    path = place.with_name(f"{place.name}{SUFFIX}")
    write_text(path, as_json(plain(record), indent=1) + "\n")
    return path


def plain(value: Any, where: str = "", depth: int = 0) -> Any:
    """``value`` as JSON can hold it: arrays as lists, NumPy's numbers as Python's. PluginError says
    which entry it cannot hold, numbers that are not finite among them."""
    if depth > _DEEPEST:
        raise PluginError(f"{where[:80]} is nested too deeply", "does the record hold itself?")
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist(), where, depth + 1)
    if isinstance(value, float):
        return _finite(value, where)
    if isinstance(value, Mapping):
        return _plain_mapping(value, where, depth)
    if isinstance(value, (list, tuple)):
        return [plain(one, f"{where}[{at}]", depth + 1) for at, one in enumerate(value)]
    hint = "records hold numbers, words, lists, mappings and arrays"
    raise PluginError(f"{where or 'it'} is a {type(value).__name__}", hint)


def _plain_mapping(mapping: Mapping[Any, Any], where: str, depth: int) -> dict[str, Any]:
    made = {}
    for key, value in mapping.items():
        if not isinstance(key, str):
            raise PluginError(f"{key!r} in {where or 'it'} is no name", "names are strings")
        made[key] = plain(value, f"{where}.{key}" if where else key, depth + 1)
    return made


def _finite(value: float, where: str) -> float:
    if not math.isfinite(value):
        raise PluginError(f"{where or 'it'} is {value}", "JSON knows finite numbers only")
    return float(value)
