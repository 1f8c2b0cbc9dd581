"""Settings for several methods at once: each may say whom it is for (``flow.steps=2``, ``[flow]``,
``flow=PATH``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from intrinsic_cli import settings
from intrinsic_cli.api import MethodSpec, UsageError
from intrinsic_cli.registry import Registry
from intrinsic_cli.requests import EvaluateRequest
from intrinsic_cli.runs.session import Choice, choose


def choice_for(name: str, request: EvaluateRequest, registry: Registry) -> Choice:
    """The method given as ``name``, with the options and weights that are meant for it; options
    nobody gave are those it is measured with."""
    spec, variant = registry.resolve(name)
    words = _options_for(name, spec, request)
    file = _weights_for(name, spec, request, registry)
    table = {**variant.measured_with, **_table_for(name, spec, request, registry)}
    try:
        return choose(name, words, file, table, registry)
    except UsageError as error:
        if len(request.methods) == 1:
            raise
        hint = f"{error.hint}; {name}.KEY=VALUE is for {name} alone"
        raise UsageError(f"{name}: {error.message}", hint) from error


def _options_for(name: str, spec: MethodSpec, request: EvaluateRequest) -> list[str]:
    """The words ``key=value`` that are for all methods or for this one."""
    mine = []
    for word in request.options:
        key, equals, value = word.partition("=")
        owner, _, bare = key.rpartition(".")
        owner = owner.strip()
        if owner and not _is_given(owner, request.methods):
            raise _not_evaluated(word, owner, request)
        if owner in ("", name, spec.name):
            mine.append(f"{bare}{equals}{value}")
    return mine


def _weights_for(name: str, spec: MethodSpec, request: EvaluateRequest, registry: Registry) -> str:
    """The weights given for the method, "" for its own."""
    mine = ""
    for text in request.weights:
        owner, equals, path = text.partition("=")
        if not equals or not _is_given(owner, request.methods):
            if owner.partition(":")[0].strip() in registry.methods and not Path(text).exists():
                raise _not_evaluated(text, owner, request)
            owner, path = "", text
            if len(set(request.methods)) > 1:
                hint = f"write {request.methods[0]}={text}"
                raise UsageError("one weights file cannot serve several methods", hint)
        if owner in ("", name, spec.name):
            mine = path
    return mine


def _table_for(
    name: str, spec: MethodSpec, request: EvaluateRequest, registry: Registry
) -> dict[str, Any]:
    """What the config file says to one method: what is for all, then its table, then that of its
    variant."""
    toml = settings.read_toml(request.config) if request.config else {}
    shared: dict[str, Any] = {}
    tables: dict[str, Mapping[str, Any]] = {}
    for key, value in toml.items():
        if isinstance(value, dict):
            registry.resolve(key)
            tables[key] = value
        else:
            shared[key] = value
    return {**shared, **tables.get(spec.name, {}), **tables.get(name, {})}


def _not_evaluated(text: str, owner: str, request: EvaluateRequest) -> UsageError:
    hint = f"methods: {', '.join(request.methods) or 'none'}"
    return UsageError(f"{text!r} is for {owner!r}, which is not evaluated", hint)


def _is_given(owner: str, methods: Sequence[str]) -> bool:
    return any(owner.strip() in (name, name.partition(":")[0]) for name in methods)
