"""Settings for several methods at once: each may say whom it is for (``flow.steps=2``, ``[flow]``,
``flow=PATH``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from intrinsic_cli import settings
from intrinsic_cli.api import MethodSpec, UsageError, Variant
from intrinsic_cli.registry import Registry
from intrinsic_cli.requests import EvaluateRequest


def options_for(
    name: str,
    spec: MethodSpec,
    variant: Variant,
    request: EvaluateRequest,
    registry: Registry,
) -> Any:
    """The settled options of the method given as ``name``."""
    toml = settings.read_toml(request.config) if request.config else {}
    words = [word for owner, word in _words(request) if owner in ("", name, spec.name)]
    try:
        return settings.settle(variant.options, _table(name, spec, toml, registry), words)
    except UsageError as error:
        if len(request.methods) == 1:
            raise
        raise UsageError(
            f"{name}: {error.message}", f"{error.hint}; {name}.KEY=VALUE is for {name} alone"
        ) from error


def weights_for(name: str, spec: MethodSpec, request: EvaluateRequest) -> str:
    """The weights given for the method, "" for its own."""
    mine = ""
    for text in request.weights:
        owner, equals, path = text.partition("=")
        if not equals or not _is_given(owner, request.methods):
            owner, path = "", text
            if len(set(request.methods)) > 1:
                hint = f"write {request.methods[0]}={text}"
                raise UsageError("one weights file cannot serve several methods", hint)
        if owner in ("", name, spec.name):
            mine = path
    return mine


def _words(request: EvaluateRequest) -> list[tuple[str, str]]:
    """(the method an option is for or "", ``key=value``)."""
    found = []
    for word in request.options:
        key, equals, value = word.partition("=")
        owner, _, bare = key.rpartition(".")
        if owner and not _is_given(owner, request.methods):
            raise UsageError(
                f"{word!r} is for {owner!r}, which is not evaluated", f"methods: {_listed(request)}"
            )
        found.append((owner.strip(), f"{bare}{equals}{value}"))
    return found


def _table(
    name: str, spec: MethodSpec, toml: Mapping[str, Any], registry: Registry
) -> dict[str, Any]:
    """What a config file says to one method: what is for all, then its table, then that of its
    variant."""
    tables = {key: value for key, value in toml.items() if isinstance(value, dict)}
    for key in tables:
        registry.resolve(key)
    shared = {key: value for key, value in toml.items() if key not in tables}
    return {**shared, **tables.get(spec.name, {}), **tables.get(name, {})}


def _is_given(owner: str, methods: Sequence[str]) -> bool:
    return any(owner.strip() in (name, name.partition(":")[0]) for name in methods)


def _listed(request: EvaluateRequest) -> str:
    return ", ".join(request.methods) or "none"
