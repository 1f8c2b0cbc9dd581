"""Where the data of a run lies, so that a resumed or repeated run finds it from every folder."""

from __future__ import annotations

import os
from pathlib import Path

from intrinsic_cli.registry import Registry


def from_everywhere(data: str, registry: Registry) -> str:
    """``NAME[:PATH]`` or a folder, with absolute paths. What is not on disk stays as it was typed,
    and so does ""."""
    name, _, rest = data.partition(":")
    spec = registry.datasets.get(name)
    if spec is None:
        return _absolute(data)
    if not rest:
        return data
    parts = rest.split(",") if spec.several else [rest]
    return f"{name}:{','.join(map(_absolute, parts))}"


def _absolute(text: str) -> str:
    path = Path(text).expanduser()
    # Path's own question raises for names that are too long.
    if not text or not os.path.exists(path):  # noqa: PTH110
        return text
    return str(path.absolute())
