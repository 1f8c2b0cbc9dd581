"""Descriptions of methods, and the entry points that bring them."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from intrinsic_cli.api import MethodSpec, Variant, hookimpl

LAYERS = ("albedo", "shading")


def spec(name: str = "toy", target: str = "toy:Toy", *others: Variant, **more: Any) -> MethodSpec:
    """A sound description; ``more`` is said of its default variant."""
    default = Variant(**{"layers": LAYERS, **more})
    return MethodSpec(name, "a toy", target, (default, *others))


class Dist:
    def __init__(self, name: str) -> None:
        self.name = name

    def read_text(self, file: str) -> str | None:
        return f"Metadata-Version: 2.1\nName: {self.name}\n" if file == "METADATA" else None


class Point:
    """What the registry needs of an entry point."""

    group = "iid.methods"

    def __init__(self, name: str, plugin: Any, dist: str) -> None:
        self.name, self.value, self.plugin, self.dist = name, f"{name}_module", plugin, Dist(dist)

    def load(self) -> Any:
        if isinstance(self.plugin, BaseException):
            raise self.plugin
        return self.plugin


def plugin(
    *methods: Any, datasets: tuple[Any, ...] = (), protocols: tuple[Any, ...] = ()
) -> ModuleType:
    made = ModuleType("made")
    made.iid_methods = hookimpl(lambda: list(methods))  # type: ignore[attr-defined]
    made.iid_datasets = hookimpl(lambda: list(datasets))  # type: ignore[attr-defined]
    made.iid_protocols = hookimpl(lambda: list(protocols))  # type: ignore[attr-defined]
    return made
