"""What earlier runs left at a target: finished work, work of other methods, outputs of another
photo."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from intrinsic_cli.kit.files import sidecar
from intrinsic_cli.requests import InputReport
from intrinsic_cli.runs.decompose.content import content_hash
from intrinsic_cli.runs.decompose.sidecars import Facts, Sidecars
from intrinsic_cli.runs.decompose.targets import Target, plan_for

if TYPE_CHECKING:
    from intrinsic_cli.runs.decompose.plan import Plan


def verdict(target: Target, plan: Plan, sidecars: Sidecars) -> InputReport | None:
    """What there is to tell of a photo that is not to be done: it is finished, or another photo has
    its place. None where it is to be done."""
    facts = sidecars.read(target.sidecar)
    if facts is None or target.path is None or plan.request.force:
        return None
    whole = sidecar.holds(facts, plan.recipe, plan.outputs, target.base.parent)
    source = facts.get("source", target.source)
    elsewhere = isinstance(source, str) and source != target.source
    if not whole and not elsewhere:
        return None
    same_photo = facts.get("sha256") == content_hash(target.path)
    if same_photo and _has_same_mask(target, facts) and whole:
        return finished(target, facts)
    if elsewhere and not same_photo:
        other = os.path.normpath(target.base.parent / source)
        error = (
            f"its layers would replace those of {other} at {target.base} "
            "(choose another -o folder, or use --force)"
        )
        return InputReport(target.input, "failed", error=error)
    return None


def _has_same_mask(target: Target, facts: Facts) -> bool:
    """One that cannot be read is none of before."""
    before = facts.get("mask_sha256", "")
    now = content_hash(target.mask) if target.mask else ""
    was_read = bool(now) or target.mask is None
    return was_read and bool(before == now)


def finished(target: Target, facts: Facts) -> InputReport:
    """The report of a photo that an earlier run did."""
    folder = target.base.parent
    layers = {}
    for name, entry in facts["layers"].items():
        layers[name] = str(folder / entry["file"])
    outputs = {name: [path] for name, path in layers.items()}
    for name, entry in facts.get("outputs", {}).items():
        outputs[name] = [str(folder / file) for file in entry["files"]]
    preview = ""
    if _is_file(target.preview):
        preview = str(target.preview)
    return skipped(target, layers, outputs, preview)


def skipped(
    target: Target,
    layers: Mapping[str, str],
    outputs: Mapping[str, list[str]],
    preview: str,
) -> InputReport:
    """The report of a photo that needs nothing done."""
    return InputReport(
        target.input,
        "skipped",
        dict(layers),
        str(target.sidecar),
        outputs=dict(outputs),
        preview=preview,
    )


def replaced(targets: Iterable[Target], plan: Plan, sidecars: Sidecars) -> str:
    """A sentence about outputs of other methods or formats that lie where these go, "" if there are
    none."""
    others = []
    for target in targets:
        facts = sidecars.read(target.sidecar) or {}
        recipe = plan_for(target, plan).recipe
        if any(facts.get(key, recipe[key]) != recipe[key] for key in _NAMED):
            others.append(_title(facts))
    if not others:
        return ""
    names = ", ".join(sorted(set(others)))
    where = "1 photo" if len(others) == 1 else f"{len(others)} photos"
    return (
        f"{where} had outputs of {names} here; sidecars will tell of {_title(plan.recipe)} only "
        '(--name "{stem}.{method}.{format}" keeps them apart)'
    )


_NAMED = ("method", "variant", "format")


def _title(facts: Facts) -> str:
    name = ":".join(str(facts.get(key, "")) for key in ("method", "variant") if facts.get(key))
    return f"{name} ({facts.get('format', 'png')})"


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # the name is too long
        return False
