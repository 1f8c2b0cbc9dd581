"""Descriptions of methods, datasets and weights as plain values, for tables and for ``--json``."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from intrinsic_cli.api import MethodSpec, Variant, WeightsError
from intrinsic_cli.registry import Registry
from intrinsic_cli.settings import Knob, describe
from intrinsic_cli.weights import WeightsFile, find_weights, list_weights, read_record, sha256


def methods(registry: Registry) -> list[dict[str, Any]]:
    """One short row a method; reads no weights."""
    files = list_weights(registry)
    return [
        {
            "name": spec.name,
            "summary": spec.summary,
            "layers": spec.default.layers,
            "variants": [variant.name for variant in spec.variants if variant.name],
            "stages": spec.default.stages,
            "origin": registry.origins[spec.name],
            "weights": [file.name for file in files if file.method == spec.name],
        }
        for spec in registry.methods.values()
    ]


def method(registry: Registry, spec: MethodSpec, variant: Variant) -> dict[str, Any]:
    """Everything about one variant of a method; of the default one also which others there are."""
    files = [file for file in list_weights(registry) if file.method == spec.name]
    return {
        "name": spec.title(variant),
        "summary": variant.summary or spec.summary,
        "paper": spec.paper,
        "origin": registry.origins[spec.name],
        "layers": variant.layers,
        "stages": variant.stages,
        "needs": sorted(variant.needs),
        "variants": _others(spec) if variant is spec.default else [],
        "options": [_knob(knob) for knob in describe(variant.options)],
        "settings": [_knob(knob) for knob in describe(variant.config)],
        "weights": [weights(file) for file in _of_variant(files, spec, variant)],
    }


def _of_variant(files: list[WeightsFile], spec: MethodSpec, variant: Variant) -> list[WeightsFile]:
    """Its own, or those of the default variant that hold its networks, too."""
    own = [file for file in files if file.variant == variant.name]
    if own or not variant.adds:
        return own
    with suppress(WeightsError):
        used = find_weights(spec, variant)
        return [file for file in files if file.path == used]
    return []


def weights(file: WeightsFile) -> dict[str, Any]:
    """One weights file with its size, hash and training record; a damaged one says so in its
    record."""
    try:
        record = read_record(file.path)
    except WeightsError as error:
        record = {"damaged": error.message}
    return {
        **file._asdict(),
        "bytes": file.path.stat().st_size,
        "sha256": sha256(file.path),
        "record": record,
    }


def datasets(registry: Registry) -> list[dict[str, Any]]:
    """One row a dataset."""
    return [
        {
            "name": spec.name,
            "summary": spec.summary,
            "offers": sorted(spec.offers),
            "layout": spec.layout,
            "least": spec.least,
            "trains": spec.trains,
            "licence": spec.licence,
            "needs_path": spec.needs_path,
            "page": spec.page,
            "protocols": spec.protocols,
            "prepare": bool(spec.prepare),
        }
        for spec in registry.datasets.values()
    ]


def _others(spec: MethodSpec) -> list[dict[str, Any]]:
    """The variants beside the default one."""
    return [
        {
            "name": spec.title(variant),
            "layers": variant.layers,
            "summary": variant.summary,
        }
        for variant in spec.variants[1:]
    ]


def _knob(knob: Knob) -> dict[str, Any]:
    kind = "|".join(map(str, knob.choices)) or knob.type
    return {**knob._asdict(), "type": kind}


def as_typed(value: Any) -> Any:
    """A default as it is typed: 0.001, not 0.0010; true, not True; none, not None."""
    if value is None or isinstance(value, bool | float):
        return str(value).lower()
    return value
