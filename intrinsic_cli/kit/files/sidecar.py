"""``<stem>.iid.json``: what was made of a photo, by what, and whether it still holds. Light.

``layers`` tells of each layer its ``file``, ``encoding`` and ``scale``. ``outputs`` tells of every
output, layers too, its ``kind`` and ``files`` (and ``encoding``, ``scale``, ``clipped`` where it
has any); sidecars written before there were other outputs than layers have none. ``regions`` are
the parts of the photo that were looked at one by one. ``notes`` are the sentences about it that
the user was told.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files.json_text import as_json
from intrinsic_cli.kit.files.read_bytes import read_bytes

if TYPE_CHECKING:
    from intrinsic_cli.api.regions import Region
    from intrinsic_cli.kit.files.outputs import Written

SUFFIX = ".iid.json"
VERSION = 1
#: What older sidecars mean that do not tell of it.
_UNSAID = {"exr_layer": "", "metadata": "keep"}
#: Bytes; nothing that iid writes comes near.
LONGEST = 4 << 20


def read(path: Path) -> dict[str, Any] | None:
    """The facts in a sidecar, or None if there is none that can be read."""
    if not os.path.lexists(path):  # nobody wants to be told which names are like it
        return None
    try:
        facts = json.loads(read_bytes(path, LONGEST))
    except (DataError, ValueError, RecursionError):
        return None
    if not isinstance(facts, dict) or not isinstance(facts.get("layers"), dict):
        return None
    return facts


def dump(facts: Mapping[str, Any]) -> str:
    """The text of a sidecar."""
    return as_json(facts, indent=1) + "\n"


def describe_outputs(written: Mapping[str, Written]) -> dict[str, Any]:
    """The facts ``layers`` and ``outputs`` about what was written."""
    layers = {}
    for name, output in written.items():
        if output.stored is not None:
            entry = output.entry
            layers[name] = {
                "file": output.files[0].name,
                "encoding": entry["encoding"],
                "scale": entry["scale"],
            }
    outputs = {name: dict(output.entry) for name, output in written.items()}
    return {"layers": layers, "outputs": outputs}


def describe_regions(regions: Sequence[Region]) -> list[dict[str, Any]]:
    """The fact ``regions``: box (left, top, width, height), angle, label, and under ``facts`` what
    else the method knows of each."""
    described = []
    for region in regions:
        entry: dict[str, Any] = {
            "label": region.label,
            "box": [round(float(side), 3) for side in region.box],
            "angle": round(float(region.angle), 3),
        }
        if region.confidence is not None:
            entry["confidence"] = round(float(region.confidence), 4)
        if region.facts:
            entry["facts"] = dict(region.facts)
        described.append(entry)
    return described


def files(facts: Mapping[str, Any]) -> Iterator[str]:
    """Names of the files a sidecar vouches for, which lie beside it, each once."""
    yield from dict.fromkeys(_files(facts))


def _files(facts: Mapping[str, Any]) -> Iterator[str]:
    for layer in facts["layers"].values():
        if isinstance(layer, dict) and "file" in layer:
            yield str(layer["file"])
    for output in _outputs(facts).values():
        names = output.get("files") if isinstance(output, dict) else None
        if isinstance(names, list):
            yield from map(str, names)
    if facts.get("preview"):
        yield str(facts["preview"])


def _outputs(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """All outputs by name; in old sidecars these are the layers."""
    outputs = facts.get("outputs")
    return outputs if isinstance(outputs, dict) else facts["layers"]


def holds(
    facts: Mapping[str, Any], recipe: Mapping[str, Any], outputs: Sequence[str], folder: Path
) -> bool:
    """Is everything asked for there already, made by the same ``recipe``? (Whether of the same
    photo, only its hash can say.)"""
    if any(facts.get(key, _UNSAID.get(key)) != value for key, value in recipe.items()):
        return False
    if set(_outputs(facts)) != set(outputs):
        return False
    return all(_is_there(folder, name) for name in files(facts))


def _is_there(folder: Path, name: str) -> bool:
    try:
        return (folder / name).exists()  # a folder holds the frames of a video
    except (OSError, ValueError):  # no name that a file can have
        return False


def recipe(
    method: str,
    variant: str,
    weights: Mapping[str, str] | None,
    options: Mapping[str, Any],
    **more: Any,
) -> dict[str, Any]:
    """What outputs depend on besides the photo, as JSON would give it back."""
    made = {
        "version": VERSION,
        "method": method,
        "variant": variant,
        "weights": weights,
        "options": options,
        **more,
    }
    return dict(json.loads(json.dumps(made, default=str)))
