"""What is installed: entry points → method and dataset descriptions, with broken plugins set aside.

pluggy could load the whole entry-point group in one call, but then one plugin that raises ends the
program and a taken name is skipped without a word. So plugins are loaded one at a time, the healthy
kept, the broken remembered."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import pluggy

from intrinsic_cli.api import (
    DataError,
    DatasetSpec,
    Method,
    MethodSpec,
    PluginError,
    Source,
    UsageError,
    Variant,
)
from intrinsic_cli.api.hooks import ENTRY_POINTS, PROJECT, Hooks
from intrinsic_cli.datasets import DATASETS

HOUSE = "intrinsic-cli"


@dataclass(frozen=True, slots=True)
class Registry:
    """Everything installed, sorted by name. ``broken`` maps a plugin to what is wrong with it,
    ``origins`` a method to the distribution and plugin that brought it."""

    methods: Mapping[str, MethodSpec] = field(default_factory=dict)
    datasets: Mapping[str, DatasetSpec] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)

    def resolve(self, text: str) -> tuple[MethodSpec, Variant]:
        """``NAME`` or ``NAME:VARIANT`` → (spec, variant). UsageError where there is none."""
        name, _, variant = text.partition(":")
        spec = self.methods.get(name)
        if spec is None:
            raise self._unknown(name)
        try:
            return spec, spec.variant(variant)
        except KeyError:
            message = f"method {name!r} has no variant {variant!r}"
            raise UsageError(message, _hint(variant, spec.variant_names, "variants")) from None

    def _unknown(self, name: str) -> UsageError:
        if name in self.broken:
            return UsageError(
                f"the plugin {name!r} is broken: {self.broken[name]}",
                "mend or uninstall that package",
            )
        return UsageError(f"no method called {name!r}", _hint(name, tuple(self.methods), "methods"))


@cache
def load_registry() -> Registry:
    """The registry of this process. Cheap: imports only the plugins' front doors."""
    loading = _Loading()
    for spec in DATASETS:
        loading.add_dataset(spec, HOUSE)
    for point in sorted(entry_points(group=ENTRY_POINTS), key=_house_first):
        loading.load(point)
    return loading.registry()


class _Loading:
    """Collects plugins one at a time and keeps notes on the broken ones."""

    def __init__(self) -> None:
        self.manager = pluggy.PluginManager(PROJECT)
        self.manager.add_hookspecs(Hooks)
        self.methods: dict[str, MethodSpec] = {}
        self.datasets: dict[str, DatasetSpec] = {}
        self.owners: dict[str, str] = {}
        self.broken: dict[str, str] = {}

    def load(self, point: EntryPoint) -> None:
        """Import one plugin and take in what it brings; whatever it does wrong stays its own
        problem."""
        owner = _owner(point)
        name = point.name if not self.manager.has_plugin(point.name) else owner
        try:
            self.manager.register(point.load(), name)
            self.manager.check_pending()
            self._collect(name, owner)
        # A plugin may also call sys.exit at import: that is its problem, not the program's.
        except (Exception, SystemExit) as error:
            self._blame(point.name, owner, _reason(error))

    def _collect(self, name: str, owner: str) -> None:
        hook = self.manager.hook
        takers: tuple[tuple[pluggy.HookCaller, Callable[[Any, str], None]], ...] = (
            (hook.iid_methods, self.add_method),
            (hook.iid_datasets, self.add_dataset),
        )
        problems = []
        for caller, take in takers:
            for spec in _answers(caller, name):
                try:
                    take(spec, owner)
                except PluginError as error:
                    problems.append(error.message)
        if problems:
            raise PluginError("; ".join(problems))

    def add_method(self, spec: MethodSpec, owner: str) -> None:
        """Take in a method, unless its description is unfit or its name is taken."""
        if not isinstance(spec, MethodSpec):
            raise PluginError(f"iid_methods gave {type(spec).__name__} instead of MethodSpec")
        _check_free("method", spec.name, owner, self.owners.get(spec.name))
        self.methods[spec.name], self.owners[spec.name] = spec, owner

    def add_dataset(self, spec: DatasetSpec, owner: str) -> None:
        """Take in a dataset reader, unless its description is unfit or its name is taken."""
        if not isinstance(spec, DatasetSpec):
            raise PluginError(f"iid_datasets gave {type(spec).__name__} instead of DatasetSpec")
        key = f"dataset {spec.name}"
        _check_free("dataset", spec.name, owner, self.owners.get(key))
        self.datasets[spec.name], self.owners[key] = spec, owner

    def _blame(self, name: str, owner: str, reason: str) -> None:
        self.broken[owner if name in self.broken or name in self.methods else name] = reason

    def registry(self) -> Registry:
        """What was found, sorted."""
        origins = {name: self.owners[name] for name in self.methods}
        parts: Iterable[Mapping[str, Any]] = (self.methods, self.datasets, self.broken, origins)
        methods, datasets, broken, origin = (
            {key: part[key] for key in sorted(part)} for part in parts
        )
        return Registry(methods, datasets, broken, origin)


def open_method(spec: MethodSpec) -> Method[Any, Any]:
    """Import and make the method behind ``spec``."""
    made = _load_target(spec.target, f"method {spec.name!r}")()
    if not isinstance(made, Method):
        raise PluginError(f"{spec.target} of method {spec.name!r} is not a Method")
    return made


def open_dataset(text: str, registry: Registry) -> Source:
    """``NAME``, ``NAME:PATH`` or a folder → an opened dataset."""
    spec, path = _find_dataset(text, registry)
    if path is None and spec.needs_path:
        raise UsageError(
            f"the dataset {spec.name!r} needs a path", f"write {spec.name}:PATH ({spec.layout})"
        )
    if path is not None and not spec.several and not path.exists():
        raise DataError(
            f"there is nothing at {path}", f"{spec.name} expects {spec.layout or 'a folder'}"
        )
    source: Source = _load_target(spec.target, f"dataset {spec.name!r}")(path)
    return source


def _find_dataset(text: str, registry: Registry) -> tuple[DatasetSpec, Path | None]:
    name, _, rest = text.partition(":")
    if name in registry.datasets:
        return registry.datasets[name], Path(rest).expanduser() if rest else None
    path = Path(text).expanduser()
    if path.is_dir():
        return registry.datasets["folder"], path
    if path.parent != Path() or path.exists():
        raise DataError(
            f"{text} is not a folder",
            "give a folder or NAME[:PATH]; `iid datasets` lists the names",
        )
    raise UsageError(
        f"no dataset or folder called {name!r}", _hint(name, tuple(registry.datasets), "datasets")
    )


def _load_target(target: str, what: str) -> Any:
    module, _, attribute = target.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except Exception as error:
        raise PluginError(
            f"{what} cannot be imported: {_reason(error)}", f"its target is {target}"
        ) from error


def _answers(caller: pluggy.HookCaller, plugin: str) -> list[Any]:
    """What one plugin answers to a hook (calling the hook itself would ask all of them)."""
    answers: list[Any] = []
    for implementation in caller.get_hookimpls():
        if implementation.plugin_name == plugin:
            function: Callable[[], Iterable[Any]] = implementation.function
            answers.extend(function())
    return answers


def _check_free(kind: str, name: str, owner: str, taken_by: str | None) -> None:
    if taken_by is not None:
        raise PluginError(f"{kind} {name!r} of {owner} is already provided by {taken_by}")


def _house_first(point: EntryPoint) -> tuple[bool, str, str]:
    """Built-in methods load first, so that nobody can take their names."""
    owner = _owner(point)
    return not owner.startswith(f"{HOUSE} "), point.name, owner


def _owner(point: EntryPoint) -> str:
    distribution = point.dist.name if point.dist is not None else "unknown distribution"
    return f"{distribution} ({point.value})"


def _reason(error: BaseException) -> str:
    if isinstance(error, PluginError):
        return error.message
    return f"{type(error).__name__}: {error}".strip().splitlines()[0].rstrip(": ")


def _hint(word: str, known: tuple[str, ...], kind: str) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    listing = f"{kind}: {', '.join(known)}" if known else f"there are no {kind}"
    return f"did you mean {near[0]!r}? {listing}" if near else listing
