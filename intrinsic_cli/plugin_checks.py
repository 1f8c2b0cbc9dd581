"""Slips of plugin authors, found where a plugin is loaded: each becomes one sentence that names the
promise of the contract it breaks."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields, is_dataclass
from types import ModuleType
from typing import Any

from intrinsic_cli.api import MethodSpec, PluginError, TrainConfig, Variant

#: What an ``__init__`` and what it imports must not import.
HEAVY = {"torch", "numpy", "cv2", "PIL", "scipy"}
HOOKS = ("iid_methods", "iid_datasets", "iid_protocols")
WORD = re.compile(r"[a-z][a-z0-9_]*")
VARIANT_WORD = re.compile(r"\w[\w-]*")
TARGET = re.compile(r"\w+(\.\w+)*:\w+")


def check_hooks(plugin: Any, found: Collection[str]) -> None:
    """PluginError for functions that are called like hooks but not marked, and for a plugin that
    answers no hook at all. ``found`` are the hooks it does answer."""
    given = vars(plugin) if isinstance(plugin, ModuleType) else {}
    unmarked = [name for name in HOOKS if name in given and name not in found]
    if unmarked:
        raise PluginError(f"{unmarked[0]} lacks its mark: write @hookimpl above it")
    if not found:
        raise PluginError(f"it answers none of the hooks {', '.join(HOOKS)}")


def check_method_spec(spec: MethodSpec) -> None:
    """PluginError with a sentence for each promise that ``spec`` breaks."""
    problems = [*_of_method(spec)]
    if not problems:
        for variant in spec.variants:
            problems += _of_variant(spec.title(variant), variant)
    if problems:
        raise PluginError("; ".join(problems))


def check_front_door(spec: MethodSpec) -> None:
    """PluginError where describing the method imports what makes every start of iid slow.

    Looked at in a process of its own: in this one torch is long imported."""
    import subprocess

    package = spec.target.partition(":")[0].partition(".")[0]
    look = f"import sys, {package}; print(*({HEAVY!r} & sys.modules.keys()))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", look]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    heavy = sorted(done.stdout.split())
    if heavy:
        raise PluginError(
            f"importing {package} imports {', '.join(heavy)}, at every start of iid",
            "import them in the module of the target",
        )


def _of_method(spec: MethodSpec) -> Iterator[str]:
    if not WORD.fullmatch(str(spec.name)):
        yield f"the name {spec.name!r} of a method is not one lower-case word"
    if len(str(spec.summary).splitlines()) != 1:
        yield f"the summary of {spec.name} is not one line of text"
    if not TARGET.fullmatch(str(spec.target)):
        yield f"the target of {spec.name} is {spec.target!r}, not 'package.module:Class'"
    yield from _of_variants(spec)


def _of_variants(spec: MethodSpec) -> Iterator[str]:
    variants = spec.variants
    if isinstance(variants, Variant):
        yield f"variants of {spec.name} is one Variant, not a tuple: write (Variant(...),)"
        return
    if not isinstance(variants, tuple | list) or not variants:
        yield f"variants of {spec.name} is no tuple of at least one Variant"
        return
    wrong = [type(variant).__name__ for variant in variants if not isinstance(variant, Variant)]
    if wrong:
        yield f"variants of {spec.name} holds a {wrong[0]}, not only Variants"
        return
    names = [name for variant in variants for name in {variant.name, variant.alias}]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        yield f"{spec.name} has more than one variant called {twice[0]!r}"
    if not all(variant.name for variant in variants[1:]):
        yield f"a variant of {spec.name} that is not the first has no name"
    for name in names:
        if name and not VARIANT_WORD.fullmatch(name):
            yield f"the variant {name!r} of {spec.name} is not one word"


def _of_variant(title: str, variant: Variant) -> Iterator[str]:
    """``title`` is the variant's name as it is written on the command line."""
    words: Mapping[str, Any] = {
        "layers": variant.layers,
        "stages": variant.stages,
        "needs": variant.needs,
    }
    for name, value in words.items():
        if isinstance(value, str):
            yield f"{name} of {title} is the word {value!r}, not a tuple: write ({value!r},)"
        elif not _are_words(value):
            yield f"{name} of {title} is {value!r}, not a tuple of words"
    if not variant.layers:
        yield f"{title} names no layers"
    yield from _of_kinds(title, variant)
    yield from _of_settings(title, variant)


def _are_words(value: Any) -> bool:
    collected = isinstance(value, tuple | list | set | frozenset)
    return collected and all(isinstance(word, str) and word for word in value)


def _of_kinds(title: str, variant: Variant) -> Iterator[str]:
    if not _are_words(variant.layers):
        return
    for output in variant.layers:
        try:
            variant.kind(output)
        except PluginError as error:
            yield f"{error.message} ({error.hint})"


def _of_settings(title: str, variant: Variant) -> Iterator[str]:
    for name, kind in (("options", variant.options), ("config", variant.config)):
        if not isinstance(kind, type) or not is_dataclass(kind):
            yield f"{name} of {title} is not a dataclass of knobs"
            return
    if not issubclass(variant.config, TrainConfig):
        yield f"config of {title} is not derived from TrainConfig"
    known = {field.name for field in fields(variant.config)}
    unknown = sorted(set(variant.smoke) - known)
    if unknown:
        yield f"smoke of {title} sets {unknown[0]!r}, which its config does not have"
