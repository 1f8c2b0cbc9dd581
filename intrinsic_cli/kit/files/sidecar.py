"""``<stem>.iid.json``: what was made of a photo, by what, and whether it still holds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

SUFFIX = ".iid.json"
VERSION = 1
SURROGATE = re.compile("[\ud800-\udfff]")


def read(path: Path) -> dict[str, Any] | None:
    """The facts in a sidecar, or None if there is none that can be read."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return facts if isinstance(facts, dict) and isinstance(facts.get("layers"), dict) else None


def dump(facts: Mapping[str, Any]) -> str:
    """The text of a sidecar."""
    return as_json(facts, indent=1) + "\n"


def as_json(value: Any, **more: Any) -> str:
    """JSON that is always valid UTF-8: a file name may hold bytes that are not, which Python keeps
    as lone surrogates, and JSON as escapes that are read back to the very same name."""
    return SURROGATE.sub(
        lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False, **more)
    )


def files(facts: Mapping[str, Any]) -> Iterator[str]:
    """Names of the files a sidecar vouches for, which lie beside it."""
    for layer in facts["layers"].values():
        if isinstance(layer, dict) and "file" in layer:
            yield str(layer["file"])
    if facts.get("preview"):
        yield str(facts["preview"])


def holds(
    facts: Mapping[str, Any], recipe: Mapping[str, Any], layers: tuple[str, ...], folder: Path
) -> bool:
    """Is everything asked for there already, made by the same ``recipe``? (Whether of the same
    photo, only its hash can say.)"""
    same = all(facts.get(key) == value for key, value in recipe.items())
    return (
        same
        and set(facts["layers"]) == set(layers)
        and all((folder / name).is_file() for name in files(facts))
    )


def recipe(
    method: str,
    variant: str,
    weights: Mapping[str, str] | None,
    options: Mapping[str, Any],
    **more: Any,
) -> dict[str, Any]:
    """What layers depend on besides the photo, as JSON would give it back."""
    made = {
        "version": VERSION,
        "method": method,
        "variant": variant,
        "weights": weights,
        "options": options,
        **more,
    }
    return dict(json.loads(json.dumps(made, default=str)))
