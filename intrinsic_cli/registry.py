"""What is installed: entry points → descriptions of methods, datasets and protocols, with broken
plugins set aside.

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
from typing import Any

import pluggy

from intrinsic_cli.api import (
    DatasetSpec,
    Method,
    MethodSpec,
    PluginError,
    Protocol,
    ProtocolSpec,
    Source,
    UsageError,
    Variant,
)
from intrinsic_cli.api.hooks import ENTRY_POINTS, PROJECT, Hooks
from intrinsic_cli.datasets import DATASETS
from intrinsic_cli.find_dataset import find_dataset
from intrinsic_cli.plugin_checks import check_hooks, check_method_spec
from intrinsic_cli.protocols import PROTOCOLS

HOUSE = "intrinsic-cli"


@dataclass(frozen=True, slots=True)
class Registry:
    """Everything installed, sorted by name. ``broken`` maps a plugin to what is wrong with it,
    ``origins`` a method to the distribution and plugin that brought it."""

    methods: Mapping[str, MethodSpec] = field(default_factory=dict)
    datasets: Mapping[str, DatasetSpec] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)
    protocols: Mapping[str, ProtocolSpec] = field(default_factory=dict)

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
            message = f"the plugin {name!r} is broken: {self.broken[name]}"
            return UsageError(message, "mend or uninstall that package")
        return UsageError(f"no method called {name!r}", _hint(name, tuple(self.methods), "methods"))


@cache
def load_registry() -> Registry:
    """The registry of this process. Cheap: imports only the plugins' front doors."""
    plugins = _Plugins()
    for dataset in DATASETS:
        plugins.add_dataset(dataset, HOUSE)
    for protocol in PROTOCOLS:
        plugins.add_protocol(protocol, HOUSE)
    for point in sorted(entry_points(group=ENTRY_POINTS), key=_house_first):
        plugins.load(point)
    return plugins.registry()


class _Plugins:
    """Collects plugins one at a time and keeps notes on the broken ones."""

    def __init__(self) -> None:
        self.manager = pluggy.PluginManager(PROJECT)
        self.manager.add_hookspecs(Hooks)
        self.methods: dict[str, MethodSpec] = {}
        self.datasets: dict[str, DatasetSpec] = {}
        self.protocols: dict[str, ProtocolSpec] = {}
        self.owners: dict[tuple[str, str], str] = {}
        self.broken: dict[str, str] = {}

    def load(self, point: EntryPoint) -> None:
        """Import one plugin and take in what it brings; whatever it does wrong stays its own
        problem."""
        owner = _owner(point)
        name = point.name
        if self.manager.has_plugin(name):
            name = owner
        try:
            self.manager.register(point.load(), name)
            self.manager.check_pending()
            self._collect(name, owner)
        # A plugin may also call sys.exit at import: that is its problem, not the program's.
        except (Exception, SystemExit) as error:
            self._blame(point.name, owner, _reason(error))

    def _collect(self, name: str, owner: str) -> None:
        """Take in all that is sound, then tell what is not."""
        callers = self.manager.get_hookcallers(self.manager.get_plugin(name)) or []
        check_hooks(self.manager.get_plugin(name), [caller.name for caller in callers])
        takers: Mapping[str, Callable[[Any, str], None]] = {
            "iid_methods": self.add_method,
            "iid_datasets": self.add_dataset,
            "iid_protocols": self.add_protocol,
        }
        problems = []
        for caller in callers:
            for spec in _answers(caller, name):
                try:
                    takers[caller.name](spec, owner)
                except PluginError as error:
                    problems.append(error.message)
        if problems:
            raise PluginError("; ".join(problems))

    def add_method(self, spec: MethodSpec, owner: str) -> None:
        """Take in a method, unless its description is unfit or its name is taken."""
        _check_type(spec, MethodSpec, "iid_methods")
        check_method_spec(spec)
        self._claim("method", spec.name, owner)
        self.methods[spec.name] = spec

    def add_dataset(self, spec: DatasetSpec, owner: str) -> None:
        """Take in a dataset reader, unless its description is unfit or its name is taken."""
        _check_type(spec, DatasetSpec, "iid_datasets")
        self._claim("dataset", spec.name, owner)
        self.datasets[spec.name] = spec

    def add_protocol(self, spec: ProtocolSpec, owner: str) -> None:
        """Take in a protocol, unless its description is unfit or its name is taken."""
        _check_type(spec, ProtocolSpec, "iid_protocols")
        self._claim("protocol", spec.name, owner)
        self.protocols[spec.name] = spec

    def _claim(self, kind: str, name: str, owner: str) -> None:
        taken_by = self.owners.setdefault((kind, name), owner)
        if name in self._table(kind):
            raise PluginError(f"{kind} {name!r} of {owner} is already provided by {taken_by}")

    def _table(self, kind: str) -> Mapping[str, Any]:
        tables: Mapping[str, Mapping[str, Any]] = {
            "method": self.methods,
            "dataset": self.datasets,
            "protocol": self.protocols,
        }
        return tables[kind]

    def _blame(self, name: str, owner: str, reason: str) -> None:
        taken = name in self.broken or name in self.methods
        self.broken[owner if taken else name] = reason

    def registry(self) -> Registry:
        """What was found, sorted."""
        return Registry(
            methods=_sorted(self.methods),
            datasets=_sorted(self.datasets),
            broken=_sorted(self.broken),
            origins=_sorted({name: self.owners["method", name] for name in self.methods}),
            protocols=_sorted(self.protocols),
        )


def open_method(spec: MethodSpec) -> Method[Any, Any]:
    """Import and make the method behind ``spec``."""
    kind = _load_target(spec.target, f"method {spec.name!r}")
    if not isinstance(kind, type) or not issubclass(kind, Method):
        raise PluginError(f"{spec.target} of method {spec.name!r} is not a Method")
    try:
        made: Method[Any, Any] = kind()
    except TypeError as error:  # abstract methods that are missing, or an __init__ with arguments
        raise PluginError(f"{spec.target} cannot be made: {error}") from error
    return made


def open_protocol(name: str, registry: Registry) -> Protocol:
    """Import the protocol called ``name``. UsageError where there is none."""
    spec = registry.protocols.get(name)
    if spec is None:
        known = tuple(registry.protocols)
        raise UsageError(f"no protocol called {name!r}", _hint(name, known, "protocols"))
    protocol = _load_target(spec.target, f"protocol {name!r}")
    if not isinstance(protocol, Protocol) or protocol.name != name:
        raise PluginError(f"{spec.target} of protocol {name!r} is not a Protocol called so")
    return protocol


def open_dataset(text: str, registry: Registry) -> Source:
    """``NAME``, ``NAME:PATH`` or a folder → an opened dataset."""
    spec, path = find_dataset(text, registry.datasets)
    source: Source = _load_target(spec.target, f"dataset {spec.name!r}")(path)
    return source


def _load_target(target: str, what: str) -> Any:
    module, _, attribute = target.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except Exception as error:
        message = f"{what} cannot be imported: {_reason(error)}"
        raise PluginError(message, f"its target is {target}") from error


def _answers(caller: pluggy.HookCaller, plugin: str) -> list[Any]:
    """What one plugin answers to a hook (calling the hook itself would ask all of them)."""
    answers: list[Any] = []
    for implementation in caller.get_hookimpls():
        if implementation.plugin_name == plugin:
            answer = _call(caller.name, implementation.function)
            if not isinstance(answer, Iterable) or isinstance(answer, str):
                kind = type(answer).__name__
                raise PluginError(f"{caller.name} answers with a {kind}, not a list of specs")
            answers.extend(answer)
    return answers


def _call(hook: str, function: Callable[..., Any]) -> Any:
    try:
        return function()
    except Exception as error:
        raise PluginError(f"{hook} fails: {_reason(error)}") from error


def _check_type(spec: Any, wanted: type, hook: str) -> None:
    if not isinstance(spec, wanted):
        raise PluginError(f"{hook} gave {type(spec).__name__} instead of {wanted.__name__}")


def _sorted(table: Mapping[str, Any]) -> dict[str, Any]:
    return {name: table[name] for name in sorted(table)}


def _house_first(point: EntryPoint) -> tuple[bool, str, str]:
    """Built-in methods load first, so that nobody can take their names."""
    owner = _owner(point)
    return not owner.startswith(f"{HOUSE} "), point.name, owner


def _owner(point: EntryPoint) -> str:
    return f"{_distribution(point) or 'unknown distribution'} ({point.value})"


def _distribution(point: EntryPoint) -> str:
    """The name of the distribution, read off its metadata: ``dist.name`` would take the whole
    README in them apart as an e-mail, at every start."""
    if point.dist is None:
        return ""
    text = point.dist.read_text("METADATA") or point.dist.read_text("PKG-INFO") or ""
    for line in text.splitlines():
        if line.startswith("Name:"):
            return line.removeprefix("Name:").strip()
    return ""


def _reason(error: BaseException) -> str:
    if isinstance(error, PluginError):
        return error.message
    return f"{type(error).__name__}: {error}".strip().splitlines()[0].rstrip(": ")


def _hint(word: str, known: tuple[str, ...], kind: str) -> str:
    names = f"{kind}: {', '.join(known)}" if known else f"there are no {kind}"
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {near[0]!r}? {names}" if near else names
