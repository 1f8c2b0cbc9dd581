"""``--name``: what the names of a photo's files begin with."""

from __future__ import annotations

import string
from collections.abc import Mapping
from pathlib import PurePosixPath

from intrinsic_cli.api import UsageError

#: What a pattern may say of a photo and its outputs.
FIELDS = ("stem", "method", "variant", "format", "layer")
#: Every file name ends with the name of its output anyway.
END = ".{layer}"


def fill(pattern: str, words: Mapping[str, str]) -> str:
    """The checked pattern with its fields filled in, once: a stem may hold braces itself. A
    ``.{layer}`` at its end, which is what every name ends with anyway, is dropped."""
    filled = []
    for text, name, _, _ in string.Formatter().parse(pattern.removesuffix(END)):
        filled.append(text)
        if name is not None:
            filled.append(words[name])
    return "".join(filled)


def check_pattern(pattern: str) -> None:
    """UsageError for a ``--name`` that makes no names, or one for all photos."""
    hint = 'write it like "{stem}.{method}", with ' + ", ".join(f"{{{name}}}" for name in FIELDS)
    try:
        parts = [part for part in string.Formatter().parse(pattern) if part[1] is not None]
    except ValueError as error:
        raise UsageError(f"the name {pattern!r} is no pattern: {error}", hint) from error
    fields = [name for _, name, _, _ in parts if name is not None]
    unknown = [name for name in fields if name not in FIELDS]
    if unknown:
        raise UsageError(f"the name {pattern!r} has a field {unknown[0]!r}", hint)
    shaped = [name for _, name, form, conversion in parts if form or conversion]
    if shaped:
        message = f"the name {pattern!r} says how to write {{{shaped[0]}}}: fields stay as they are"
        raise UsageError(message, hint)
    if "stem" not in fields:
        raise UsageError(f"the name {pattern!r} is the same for all photos", hint)
    if "{layer}" in pattern.removesuffix(END):
        raise UsageError(f"in the name {pattern!r} .{{layer}} must be the end", hint)
    path = PurePosixPath(pattern)
    if path.is_absolute() or ".." in path.parts:
        raise UsageError(f"the name {pattern!r} leads out of the output folder", hint)
