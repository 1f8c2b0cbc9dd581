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
    fields = _fields(pattern, hint)
    if "stem" not in fields:
        raise UsageError(f"the name {pattern!r} is the same for all photos", hint)
    if "{layer}" in pattern.removesuffix(END):
        raise UsageError(f"in the name {pattern!r} .{{layer}} must be the end", hint)
    path = PurePosixPath(pattern)
    if path.is_absolute() or ".." in path.parts:
        raise UsageError(f"the name {pattern!r} leads out of the output folder", hint)


def _fields(pattern: str, hint: str) -> list[str]:
    """The fields of a pattern. UsageError for one that is unknown, or more than a name."""
    try:
        parts = list(string.Formatter().parse(pattern))
    except ValueError as error:
        raise UsageError(f"the name {pattern!r} is no pattern: {error}", hint) from error
    fields = []
    for _, name, form, conversion in parts:
        if name is None:
            continue
        if name not in FIELDS:
            raise UsageError(f"the name {pattern!r} has a field {name!r}", hint)
        if form or conversion:
            message = f"the name {pattern!r} says how to write {{{name}}}: fields stay as they are"
            raise UsageError(message, hint)
        fields.append(name)
    return fields
