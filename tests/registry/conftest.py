"""Lets these tests import the plugins they share, and load a registry of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from intrinsic_cli import registry
from intrinsic_cli.registry import Registry, load_registry

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Load a registry from made-up entry points."""

    def load(*points: Any) -> Registry:
        monkeypatch.setattr(registry, "entry_points", lambda group: list(points))
        load_registry.cache_clear()
        return load_registry()

    yield load
    load_registry.cache_clear()
