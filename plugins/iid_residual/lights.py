"""Lights as records: what ``<stem>.light.json`` says of a face, and how it is read again."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from iid_residual import harmonics
from intrinsic_cli.api import UsageError
from intrinsic_cli.kit.files.os_errors import advice, reason

#: The record's name.
LIGHT = "light"
HINT = "give light=azimuth,elevation in degrees or light=FILE.light.json"
_COEFFICIENTS = 27


def light_record(light: Tensor) -> list[dict[str, Any]]:
    """A record a light [B,27]: the house's coefficients, where most of it comes from, and its
    focus: 0 for light from everywhere, 1 for a lamp alone."""
    outside = harmonics.to_house(light).tolist()
    directions = harmonics.direction(light).cpu()
    first = light.view(-1, 3, 9).mean(1)
    aimed = first[:, 1:4].norm(dim=1) / first[:, 0].abs().clamp_min(1e-6)
    focus = (aimed / 3**0.5).clamp(0, 1).tolist()
    records = []
    for coefficients, vector, share in zip(outside, directions, focus, strict=True):
        azimuth, elevation = harmonics.angles(vector)
        records.append(
            {
                "sh": [round(value, 6) for value in coefficients],
                "order": harmonics.ORDER,
                "direction": {"azimuth": round(azimuth, 2), "elevation": round(elevation, 2)},
                "focus": round(share, 4),
            }
        )
    return records


def light_of(record: Any) -> Tensor | None:
    """The light [27] of a record, None where it holds none."""
    numbers = record.get("sh") if isinstance(record, dict) else None
    if not isinstance(numbers, list) or len(numbers) != _COEFFICIENTS:
        return None
    if not all(isinstance(number, int | float) and math.isfinite(number) for number in numbers):
        return None
    return harmonics.from_house(torch.tensor([numbers], dtype=torch.float32))[0]


def read_light(path: Path) -> Tensor:
    """The light [27] of the first face of a ``.light.json``. UsageError where it holds none."""
    try:
        record = json.loads(path.expanduser().read_text(encoding="utf-8"))
    except OSError as error:
        told = f"{path}: {reason(error)}"
        raise UsageError(told, "; ".join(filter(None, [advice(error), HINT]))) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is no record of a light", HINT) from error
    faces = record.get("faces", [record]) if isinstance(record, dict) else []
    light = light_of(faces[0]) if isinstance(faces, list) and faces else None
    if light is None:
        raise UsageError(f"{path} holds no light of a face", HINT)
    return light
