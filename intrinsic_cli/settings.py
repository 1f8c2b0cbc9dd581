"""Settings: defaults < TOML < ``key=value``, typed by the fields of a frozen dataclass."""

from __future__ import annotations

import difflib
import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields
from pathlib import Path
from types import NoneType, UnionType
from typing import (
    Any,
    Literal,
    NamedTuple,
    NoReturn,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from intrinsic_cli.api import UsageError

T = TypeVar("T")

WORDS = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}
#: What a setting of a type takes, in words.
TAKES = {
    bool: "yes or no",
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "a path",
    NoneType: "none",
}


class Knob(NamedTuple):
    """One setting, described for people."""

    name: str
    type: str
    default: Any
    help: str
    choices: tuple[Any, ...]


def settle(cls: type[T], toml: Mapping[str, Any], overrides: Sequence[str]) -> T:
    """An instance of dataclass ``cls``. Every mistake is a UsageError that names the key."""
    knobs = {item.name: item for item in fields(cls)}  # type: ignore[arg-type]  # a dataclass
    hints = get_type_hints(cls)
    values: dict[str, Any] = {}
    for key, value in [*toml.items(), *(_split(text, tuple(knobs)) for text in overrides)]:
        name = key.replace("-", "_")
        if name not in knobs:
            raise _unknown(key, tuple(knobs))
        values[name] = _check(knobs[name], _convert(name, value, hints[name]))
    try:
        return cls(**values)
    except ValueError as error:  # raised by __post_init__ where settings contradict each other
        raise UsageError(str(error)) from error


def describe(cls: type) -> list[Knob]:
    """Every setting of ``cls``, in order."""
    hints = get_type_hints(cls)
    return [_describe(item, hints[item.name]) for item in fields(cls)]


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file, or a UsageError saying what is wrong with it."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"cannot read {path}: {reason}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        hint = 'write a line such as size = 512 for each setting, and text as "text"'
        raise UsageError(f"{path} is not valid TOML: {error}", hint) from error
    except RecursionError as error:  # brackets within brackets, thousands of them
        hint = "settings are numbers, text and plain lists of them"
        raise UsageError(f"{path} is not valid TOML: it is nested too deeply", hint) from error


def to_toml(instance: Any) -> str:
    """All settings as TOML that :func:`settle` reads back to an equal instance."""
    lines = [f"{item.name} = {_toml(getattr(instance, item.name))}\n" for item in fields(instance)]
    return "".join(lines)


def _split(text: str, known: tuple[str, ...]) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        example = key.strip() if key.strip() in known else next(iter(known), "name")
        hint = f"write the name, = and the value, such as {example}=…"
        raise UsageError(f"{text!r} does not say what to set to which value", hint)
    return key.strip(), value.strip()


def _unknown(key: str, known: tuple[str, ...]) -> UsageError:
    message = f"no setting called {key!r}"
    if not known:
        return UsageError(message, "this method has no settings")
    near = difflib.get_close_matches(key, known, n=1)
    advice = f"did you mean {near[0]!r}? " if near else ""
    return UsageError(message, advice + _valid(known))


def _valid(known: tuple[Any, ...]) -> str:
    return "valid: " + ", ".join(map(str, known))


def _describe(item: Field[Any], hint: Any) -> Knob:
    default = item.default if item.default is not MISSING else None
    choices = tuple(item.metadata.get("choices", ())) or _literals(hint)
    return Knob(item.name, _type_name(hint), default, item.metadata.get("help", ""), choices)


def _literals(hint: Any) -> tuple[Any, ...]:
    if get_origin(hint) in (Union, UnionType):
        return tuple(value for part in get_args(hint) for value in _literals(part))
    return get_args(hint) if get_origin(hint) is Literal else ()


def _type_name(hint: Any) -> str:
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Literal:
        return "|".join(map(str, parts))
    if origin in (Union, UnionType):
        return "|".join("none" if part is NoneType else _type_name(part) for part in parts)
    if origin is tuple:
        return ",".join("…" if part is Ellipsis else _type_name(part) for part in parts)
    return getattr(hint, "__name__", str(hint))


def _check(item: Field[Any], value: Any) -> Any:
    """``value``, if it is one that the knob allows."""
    if value is None:
        return value
    name, told = item.name, item.metadata
    choices, low, high = told.get("choices"), told.get("low"), told.get("high")
    multiple = told.get("multiple")
    if choices and value not in choices:
        raise UsageError(f"{name} cannot be {value}", _valid(choices))
    if low is not None and value < low:
        raise UsageError(f"{name} must be at least {low}, not {value}")
    if high is not None and value > high:
        raise UsageError(f"{name} must be at most {high}, not {value}")
    if multiple and value % multiple:
        near = max(multiple, round(value / multiple) * multiple)
        raise UsageError(f"{name} must be a multiple of {multiple}, not {value}", f"try {near}")
    return value


def _convert(name: str, value: Any, hint: Any) -> Any:
    try:
        return _typed(value, hint)
    except (ValueError, TypeError, OverflowError) as error:
        literals = _literals(hint)
        wanted = _valid(literals) if literals else f"it takes {_takes(hint)}"
        raise UsageError(f"{name} cannot be {value!r}", wanted) from error


def _takes(hint: Any) -> str:
    """A type in words: ``a whole number or none``."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return " or ".join(_takes(part) for part in parts)
    if origin is tuple and parts[1:] == (Ellipsis,):
        return f"{_takes(parts[0])}, as often as you like, with commas between"
    if origin is tuple:
        return ", ".join(_takes(part) for part in parts) + ", with commas between"
    return TAKES.get(hint, _type_name(hint))


def _typed(value: Any, hint: Any) -> Any:
    """``value`` (a word of the command line or a TOML value) as ``hint``, or ValueError."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _one_of(value, parts)
    if origin is Literal:
        return _choice(value, parts)
    if origin is tuple or hint is tuple:
        return _tuple(value, parts)
    reader = _READERS.get(hint)
    return reader(value) if reader else value


def _one_of(value: Any, parts: tuple[Any, ...]) -> Any:
    if NoneType in parts and (value is None or str(value).lower() in ("none", "")):
        return None
    for part in parts:
        if part is not NoneType:
            try:
                return _typed(value, part)
            except ValueError:
                continue
    return _refuse()


def _choice(value: Any, choices: tuple[Any, ...]) -> Any:
    for choice in choices:
        if str(choice) == str(value):
            return choice
    return _refuse()


def _tuple(value: Any, parts: tuple[Any, ...]) -> tuple[Any, ...]:
    items = value
    if _is_word(value):
        words = value.strip("()[] ").split(",")
        items = [word.strip() for word in words if word.strip()]
    if not isinstance(items, list | tuple):
        return _refuse()
    kinds = list(parts)
    if parts[1:] in ((), (Ellipsis,)):  # any number of the same kind
        kinds = [parts[0] if parts else str] * len(items)
    if len(kinds) != len(items):
        return _refuse()
    return tuple(_typed(item, kind) for item, kind in zip(items, kinds, strict=True))


def _is_word(value: Any) -> bool:
    return isinstance(value, str)


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if _is_word(value) and value.lower() in WORDS:
        return WORDS[value.lower()]
    return _refuse()


def _int(value: Any) -> int:
    if isinstance(value, bool):
        return _refuse()
    if _is_word(value) and not any(mark in value.lower() for mark in ".e"):
        return int(value)
    number = float(value)  # 1e4 is a whole number too
    return int(number) if number.is_integer() else _refuse()


def _float(value: Any) -> float:
    if isinstance(value, bool):
        return _refuse()
    number = float(value)
    return number if math.isfinite(number) else _refuse()


def _str(value: Any) -> Any:
    return value if _is_word(value) else _refuse()


def _path(value: Any) -> Path:
    return Path(_str(value)).expanduser()


_READERS = {bool: _bool, int: _int, float: _float, str: _str, Path: _path}


def _refuse() -> NoReturn:
    raise ValueError


def _toml(value: Any) -> str:
    if value is None:
        return '"none"'
    if isinstance(value, tuple | list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, bool | int | float):
        return str(value).lower()
    return json.dumps(str(value), ensure_ascii=False)
