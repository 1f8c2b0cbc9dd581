"""What a Tab press offers. Reads descriptions only, so it stays as light as ``iid --help``."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import click
from click.shell_completion import CompletionItem

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def methods(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Method names, with their variants."""
    from intrinsic_cli.registry import load_registry

    specs = load_registry().methods.values()
    names = [(spec.name, spec.summary) for spec in specs]
    names += [
        (f"{spec.name}:{variant}", f"variant of {spec.name}")
        for spec in specs
        for variant in spec.variant_names
    ]
    return _matching(names, incomplete)


def datasets(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Dataset names, else folders."""
    from intrinsic_cli.registry import load_registry

    names = [(spec.name, spec.summary) for spec in load_registry().datasets.values()]
    return _matching(names, incomplete) or [CompletionItem(incomplete, type="dir")]


def option_keys(
    ctx: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """``key=`` of the method's decompose options, or ``key=choice``."""
    return _settings(ctx, "options", incomplete)


def config_keys(
    ctx: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """``key=`` of the method's training settings, or ``key=choice``."""
    return _settings(ctx, "config", incomplete)


def weights(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of the weights on this machine, else files."""
    from intrinsic_cli.registry import load_registry
    from intrinsic_cli.weights import list_weights

    names = [(file.name, file.place) for file in list_weights(load_registry())]
    return _matching(names, incomplete) or [CompletionItem(incomplete, type="file")]


def _settings(ctx: click.Context, kind: str, incomplete: str) -> list[CompletionItem]:
    from intrinsic_cli.api import IidError
    from intrinsic_cli.registry import load_registry
    from intrinsic_cli.settings import describe

    given = ctx.params.get("method") or ctx.lookup_default("method") or "flow"
    try:
        _, variant = load_registry().resolve(given if isinstance(given, str) else given[-1])
    except IidError:
        return []
    names: list[tuple[str, str]] = []
    for knob in describe(getattr(variant, kind)):
        names += [(f"{knob.name}={choice}", knob.help) for choice in knob.choices] or [
            (f"{knob.name}=", knob.help)
        ]
    return _matching(names, incomplete)


def _matching(names: Iterable[tuple[str, str]], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name, help=help) for name, help in names if name.startswith(incomplete)]
