"""The folder of a run, and its ``config.toml``: what was decided, enough to continue or repeat
it."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from intrinsic_cli import settings
from intrinsic_cli.api import DataError, UsageError
from intrinsic_cli.kit.files.atomic import write_text

CONFIG = "config.toml"
#: The weights a run began with, of which it keeps a copy.
INIT = "init.safetensors"


@dataclass(frozen=True, slots=True)
class Written:
    """What ``config.toml`` says; "" and () where it says nothing."""

    method: str = ""
    data: str = ""
    stages: tuple[str, ...] = ()
    command: str = ""
    init: str = ""
    install: bool = False
    counts: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)


def read_run(folder: Path) -> Written:
    """What the run in ``folder`` was told. DataError where it is none."""
    path = folder / CONFIG
    try:
        toml = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        message = f"{folder} is not a training run: it has no readable {CONFIG}"
        raise DataError(message, "give a run folder, such as runs/flow/1") from error
    return as_written(toml, path)


def is_run(toml: Mapping[str, Any]) -> bool:
    """Is it the ``config.toml`` of a run, not just settings?"""
    return isinstance(toml.get("config"), Mapping) and "method" in toml


def as_written(toml: Mapping[str, Any], path: Path) -> Written:
    """``toml`` with the types it must have. DataError names what has another one."""
    texts = {}
    for name in ("method", "data", "command", "init", "counts"):
        texts[name] = toml.get(name, "")
        _require(path, name, texts[name], str)
    install, config = toml.get("install", False), toml.get("config", {})
    _require(path, "install", install, bool)
    _require(path, "config", config, dict)
    stages = toml.get("stages", [])
    _require(path, "stages", stages, list)
    for stage in stages:
        _require(path, "stages", stage, str)
    return Written(**texts, stages=tuple(stages), install=install, config=config)


def _require(path: Path, name: str, value: object, kind: type) -> None:
    if not isinstance(value, kind):
        hint = "it is written by `iid train`; begin a new run"
        raise DataError(f"{path}: {name!r} cannot be {value!r}", hint)


def write_run(folder: Path, written: Written, config: Any) -> None:
    """Write down what was decided; ``config`` is the dataclass of all settings."""
    head = {
        "method": written.method,
        "data": written.data,
        "stages": list(written.stages),
        "command": written.command,
        "init": written.init,
        "install": written.install,
        "counts": written.counts,
    }
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in head.items()]
    write_text(folder / CONFIG, f"{''.join(lines)}\n[config]\n{settings.to_toml(config)}")


def next_folder(name: str) -> Path:
    """The first free ``runs/NAME/N``."""
    parent = Path("runs") / name
    taken = [int(path.name) for path in parent.glob("*") if path.name.isdecimal()]
    return parent / str(max(taken, default=0) + 1)


def require_free(folder: Path) -> None:
    """UsageError where ``folder`` holds a run already, or somebody's files."""
    if (folder / CONFIG).exists():
        hint = f"continue it with --resume {folder}, or give another --out"
        raise UsageError(f"{folder} already holds a run", hint)
    if folder.is_file():
        raise UsageError(f"{folder} is a file", "give a new or an empty folder with --out")
    others = [path.name for path in folder.glob("*") if not path.name.startswith(".")]
    if others:
        message = f"{folder} holds other files ({min(others)}), which are no training run"
        raise UsageError(message, "give a new or an empty folder with --out")


def release(folder: Path, stages: tuple[str, ...]) -> None:
    """Take a run away that came to nothing: no stage of it has a checkpoint or a line in its
    log."""
    for stage in stages:
        if (folder / stage).is_dir() and any((folder / stage).iterdir()):
            return
    for stage in stages:
        shutil.rmtree(folder / stage, ignore_errors=True)
    for name in (INIT, CONFIG):
        (folder / name).unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
