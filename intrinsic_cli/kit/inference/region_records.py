"""What was said of the regions of a photo, gathered to what is said of the photo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from intrinsic_cli.api import Decomposer, Region
from intrinsic_cli.kit.inference.answer import Part

Entry = dict[str, Any]


def records_of(
    decomposer: Decomposer, regions: Sequence[Region], parts: Sequence[Part]
) -> dict[str, Entry]:
    """Each record of the regions as one of the photo: ``{"faces": [{"box": …, …}, …]}``; that of
    the only region, where it has no label, as it is."""
    gathered: dict[str, Entry] = {}
    for name in parts[0].records:
        groups: dict[str, list[Entry]] = {}
        for region, part in zip(regions, parts, strict=True):
            record = decomposer.turned(name, part.records[name], region)
            group = groups.setdefault(region.label, [])
            group.append({**_where(region), **record})
        if list(groups) == [""] and len(regions) == 1:
            gathered[name] = groups[""][0]
        else:
            gathered[name] = {f"{label or 'region'}s": group for label, group in groups.items()}
    return gathered


def notes_of(regions: Sequence[Region], parts: Sequence[Part]) -> tuple[str, ...]:
    """What there is to read about the regions, each sentence once."""
    notes: list[str] = []
    for region, part in zip(regions, parts, strict=True):
        notes.extend(region.notes)
        notes.extend(part.notes)
    return tuple(dict.fromkeys(notes))


def _where(region: Region) -> Entry:
    return {
        "box": list(region.box),
        "angle": region.angle,
        "confidence": region.confidence,
    }
