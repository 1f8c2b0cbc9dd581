"""Where weights live: a given path, then ``$IID_HOME/weights``, then the plugin's own package.
Paths only, no torch."""

from __future__ import annotations

import difflib
import hashlib
import os
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from intrinsic_cli.api import MethodSpec, UsageError, Variant, WeightsError
from intrinsic_cli.kit.files.atomic import replacing
from intrinsic_cli.kit.files.os_errors import is_path, missing, near_to, nothing_at
from intrinsic_cli.kit.networks.weights_file import check_file, networks_in, read_record
from intrinsic_cli.registry import Registry, load_registry

__all__ = ["export", "find_weights", "home", "install", "list_weights", "read_record", "remove"]
__all__ += ["SUFFIX", "WeightsFile", "installed_path", "sha256", "verify", "weights_name"]

SUFFIX = ".safetensors"
#: What a run calls the weights it ends with, and a stage its best ones.
BEST = f"best{SUFFIX}"
#: What a stage of a run calls its checkpoint.
LAST = "last.pt"
_GIVE = "give a file, a run folder, or a name that `iid weights list` shows"


class WeightsFile(NamedTuple):
    """Weights found on this machine. ``place`` is ``home`` or ``packaged``; ``method`` "" when
    nobody claims them."""

    name: str
    method: str
    variant: str
    place: str
    path: Path


def home() -> Path:
    """Where ``iid`` keeps what it installs: ``$IID_HOME``, else the platform's place for user
    data."""
    given = os.environ.get("IID_HOME")
    if given:
        return Path(given).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData/Local")) / "iid"
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/iid"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "iid"


def weights_name(spec: MethodSpec, variant: Variant) -> str:
    """``flow`` or ``flow-albedo16``: the stem of the weights file."""
    return f"{spec.name}-{variant.name}" if variant.name else spec.name


def installed_path(name: str) -> Path:
    """Where weights of this name lie once they are installed."""
    return home() / "weights" / f"{name.removesuffix(SUFFIX)}{SUFFIX}"


def find_weights(spec: MethodSpec, variant: Variant, given: str = "") -> Path | None:
    """The weights to use: ``given`` (a file, the folder of a training run, or a name), else the
    variant's own, or the default variant's where they hold what this one ``adds``. None for a
    variant that has nothing to train, or has no weights here and works without."""
    if not variant.stages:
        return None
    path = Path(given).expanduser()
    if given and path.is_file():
        _refuse_checkpoint(path)
        return path
    if given and (path / BEST).is_file():
        return path / BEST
    name = given or weights_name(spec, variant)
    found = next(_files(spec, name), None) or _shared(spec, variant, given)
    if found:
        return found
    if given:
        raise _unknown(spec, variant, given)
    if variant.works_untrained:
        return None
    hint = (
        f"train them with `iid train --plugin {spec.title(variant)} --install` "
        "or bring them with `iid weights import FILE`"
    )
    raise WeightsError(f"there are no weights for {spec.title(variant)}", hint)


def sha256(path: Path) -> str:
    """The file's hash, remembered as long as it does not change."""
    facts = path.stat()
    return _sha256(path, facts.st_mtime_ns, facts.st_size)


def verify(path: Path) -> str:
    """Check that the file is whole, its numbers are finite and, where a ``.sha256`` file lies
    beside it, it is the one that was shipped.

    Returns the file's sha256. Raises WeightsError.
    """
    check_file(path)
    digest = sha256(path)
    beside = path.with_name(f"{path.name}.sha256")
    if beside.is_file() and beside.read_text().split()[:1] != [digest]:
        message = f"{path} is not the file that was shipped: its sha256 is not the one in "
        raise WeightsError(f"{message}{beside.name}", "bring it again, or train anew")
    return digest


def install(path: Path, spec: MethodSpec, variant: Variant) -> Path:
    """Copy verified weights to where ``iid`` finds them by name."""
    verify(path)
    target = installed_path(weights_name(spec, variant))
    _copy(path, target)
    return target


def remove(name: str) -> Path:
    """Take installed weights away; packaged ones of the same name are used again. Returns where
    they were. WeightsError where none are installed."""
    path = installed_path(name)
    if not path.is_file():
        shown = "`iid weights list` shows them with place home"
        raise WeightsError(f"no weights called {name!r} are installed", shown)
    path.unlink()
    return path


def export(name: str, target: Path, registry: Registry) -> Path:
    """Copy the weights called ``name``, those in use where there are several, to the file
    ``target``, or into that folder. Returns where they went; what lies there is not
    overwritten."""
    files: dict[str, WeightsFile] = {}
    for file in list_weights(registry):
        files.setdefault(file.name, file)
    if name not in files:
        raise WeightsError(f"no weights called {name!r}", _near(name, list(files)))
    if target.is_dir():
        target = target / f"{name}{SUFFIX}"
    if target.exists():
        raise UsageError(f"{target} is there already", "give another name, or remove it first")
    verify(files[name].path)
    _copy(files[name].path, target)
    return target


def list_weights(registry: Registry) -> list[WeightsFile]:
    """Every weights file on this machine, sorted by name; of one name those in the home folder,
    which are used, come before packaged ones."""
    found: dict[Path, WeightsFile] = {}
    for spec in registry.methods.values():
        for variant in spec.variants:
            name = weights_name(spec, variant)
            places = [("home", installed_path(name))]
            places += [("packaged", path) for path in _packaged_paths(spec, name)]
            for place, path in places:
                if path.is_file():
                    file = WeightsFile(name, spec.name, variant.name, place, path)
                    found.setdefault(path, file)
    for path in (home() / "weights").glob(f"*{SUFFIX}"):
        found.setdefault(path, WeightsFile(path.stem, "", "", "home", path))
    return sorted(found.values())


def _shared(spec: MethodSpec, variant: Variant, given: str) -> Path | None:
    """Weights of the default variant that hold the networks of this one, too; none that a user has
    ``given`` are passed over for them."""
    if given or not variant.adds:
        return None
    for path in _files(spec, weights_name(spec, spec.default)):
        if networks_in(path).issuperset(variant.adds):
            return path
    return None


def _files(spec: MethodSpec, name: str) -> Iterator[Path]:
    """The weights of this name that there are, the ones to prefer first."""
    for place in (installed_path(name), *_packaged_paths(spec, name)):
        if place.is_file():
            yield place


def _packaged_paths(spec: MethodSpec, name: str) -> Iterator[Path]:
    """Where the plugin's package would have the weights, found without importing it."""
    package = spec.target.partition(":")[0].partition(".")[0]
    found = find_spec(package)
    if found is None:
        return
    for location in found.submodule_search_locations or ():
        yield Path(location) / "weights" / f"{name.removesuffix(SUFFIX)}{SUFFIX}"


def _refuse_checkpoint(path: Path) -> None:
    """``last.pt`` continues a run; others are for ``iid weights import``."""
    if path.suffix.lower() not in (".pt", ".pth", ".ckpt"):
        return
    message = f"{path} is a checkpoint, not weights to use"
    for folder in (path.parent.parent, path.parent):
        if path.name == LAST and (folder / BEST).is_file():
            raise WeightsError(message, f"the weights of that run are {folder / BEST}")
    if path.name == LAST:
        raise WeightsError(message, "go on with `iid train --resume` on its run folder")
    raise WeightsError(message, f"bring it in with `iid weights import {path}`")


def _unknown(spec: MethodSpec, variant: Variant, given: str) -> WeightsError:
    """Why a name or path gives no weights."""
    path = Path(given).expanduser()
    if is_path(given) and not path.exists():
        return WeightsError(nothing_at(path), missing(path) or _GIVE)
    if path.is_dir():
        hint = "give the folder of a run that has come to its first validation, or a file"
        return WeightsError(f"{given} holds no {BEST}", hint)
    files = [file for file in list_weights(load_registry()) if file.name == given]
    title = spec.title(variant)
    if files:
        message = f"the weights {given!r} are not made for {title}"
        return WeightsError(message, f"they are of method {files[0].method or 'unknown'}")
    own = [weights_name(spec, each) for each in spec.variants]
    beside = near_to(path)
    if beside is not None and beside.suffix == SUFFIX:
        return WeightsError(f"no weights called {given!r}", f"did you mean {beside}?")
    return WeightsError(f"no weights called {given!r}", _near(given, own))


def _near(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}? {_GIVE}" if near else _GIVE


def _copy(path: Path, target: Path) -> None:
    if target.exists() and target.samefile(path):
        return
    with replacing(target) as temporary:
        temporary.write_bytes(path.read_bytes())


@cache
def _sha256(path: Path, _mtime: int, _size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
