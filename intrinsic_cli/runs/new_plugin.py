"""A plugin to begin with: a package that trains, decomposes, evaluates and keeps the contract."""

from __future__ import annotations

import keyword
import re
import shutil
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template

from intrinsic_cli.api import UsageError
from intrinsic_cli.registry import Registry

TEMPLATES = "plugin_template"
WORD = re.compile(r"[a-z][a-z0-9_]*")


def new_plugin(name: str, out: Path, registry: Registry) -> list[Path]:
    """Write the package of a method called ``name`` into the new folder ``out``; the files written.

    UsageError for a name that cannot be, or is taken, and where there is something at ``out``.
    """
    _check_name(name, registry)
    if out.exists():
        raise UsageError(f"there is something at {out} already", "give another folder with --out")
    try:
        return _write(plugin_files(name), out)
    except OSError:  # half a plugin would be in the way of the next try
        shutil.rmtree(out, ignore_errors=True)
        raise


def _write(texts: Mapping[str, str], out: Path) -> list[Path]:
    written = []
    for path, text in texts.items():
        target = out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        written.append(target)
    return written


def plugin_files(name: str) -> dict[str, str]:
    """Path within the package's folder → text of the file."""
    package = f"iid_{name}"
    places = {
        "pyproject.toml": "pyproject.toml",
        f"{package}/__init__.py": "__init__.py",
        f"{package}/method.py": "method.py",
        f"tests/test_{name}.py": "test.py",
    }
    words = {"name": name, "package": package, "Class": _class_name(name)}
    templates = files("intrinsic_cli") / TEMPLATES
    return {
        path: Template((templates / f"{template}.in").read_text("utf-8")).substitute(words)
        for path, template in places.items()
    }


def _check_name(name: str, registry: Registry) -> None:
    refusal = f"{name!r} cannot be the name of a method"
    if not WORD.fullmatch(name):
        rules = "small letters, digits and underscores, a letter first"
        near = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_").lower()
        hint = f"{rules}, such as {near}" if WORD.fullmatch(near) else rules
        raise UsageError(refusal, hint)
    if keyword.iskeyword(name):
        raise UsageError(refusal, "it means something in Python, where it would name a package")
    if name in registry.methods:
        origin = registry.origins[name]
        raise UsageError(f"there is a method {name!r} already", f"{origin} brings it")


def _class_name(name: str) -> str:
    """``two_lights`` → ``TwoLights``."""
    return "".join(part.capitalize() for part in name.split("_"))
