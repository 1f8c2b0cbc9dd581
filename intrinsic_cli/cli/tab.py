"""What a Tab press offers. Reads descriptions only, so it stays as light as ``iid --help``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import click
from click.shell_completion import CompletionItem

from intrinsic_cli.api import IidError, Variant

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]
DEVICES = (
    ("auto", "a GPU where there is one"),
    ("cpu", "the processor"),
    ("cuda", "the first NVIDIA GPU"),
    ("cuda:0", "an NVIDIA GPU by its number"),
    ("mps", "the GPU of a Mac"),
)


def methods(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Method names, with their variants."""
    from intrinsic_cli.registry import load_registry

    specs = load_registry().methods.values()
    names = [(spec.name, spec.summary) for spec in specs]
    for spec in specs:
        names += [(f"{spec.name}:{word}", f"variant of {spec.name}") for word in spec.variant_names]
    return _matching(names, incomplete)


def datasets(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Dataset names, with a colon where a path has to follow; behind the colon, and where no name
    fits, folders."""
    from intrinsic_cli.registry import load_registry

    if ":" in incomplete:
        return [CompletionItem(incomplete, type="dir")]
    names = [
        (f"{spec.name}:" if spec.needs_path else spec.name, spec.summary)
        for spec in load_registry().datasets.values()
    ]
    return _matching(names, incomplete) or [CompletionItem(incomplete, type="dir")]


def dataset_names(
    ctx: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Dataset names alone."""
    from intrinsic_cli.registry import load_registry

    specs = load_registry().datasets.values()
    return _matching([(spec.name, spec.summary) for spec in specs], incomplete)


def option_keys(
    ctx: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """``key=`` of the method's decompose options, or ``key=choice``."""
    variant = _variant(ctx)
    return _settings(variant.options, incomplete) if variant else []


def config_keys(
    ctx: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """``key=`` of the method's training settings, or ``key=choice``."""
    variant = _variant(ctx)
    return _settings(variant.config, incomplete) if variant else []


def layers(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """``all``, or outputs of the method with commas between."""
    variant = _variant(ctx)
    if variant is None:
        return []
    begun, comma, _ = incomplete.rpartition(",")
    chosen = begun.split(",")
    names = [(f"{begun}{comma}{name}", "") for name in variant.layers if name not in chosen]
    if not begun:
        names.append(("all", "every output"))
    return _matching(names, incomplete)


def stages(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Stages of the method's training."""
    variant = _variant(ctx)
    return _matching([(name, "") for name in variant.stages], incomplete) if variant else []


def devices(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Where to compute. Which of them this machine has would take torch to know."""
    return _matching(DEVICES, incomplete)


def weights(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of the weights on this machine, else files."""
    from intrinsic_cli.registry import load_registry
    from intrinsic_cli.weights import list_weights

    names = [(file.name, file.place) for file in list_weights(load_registry())]
    return _matching(names, incomplete) or [CompletionItem(incomplete, type="file")]


def _variant(ctx: click.Context) -> Variant | None:
    """The variant the words before name; of several methods the last. None where there is none."""
    from intrinsic_cli.registry import load_registry

    given = ctx.params.get("method") or ctx.lookup_default("method") or "flow"
    name = given if isinstance(given, str) else given[-1]
    try:
        return load_registry().resolve(name)[1]
    except IidError:
        return None


def _settings(kind: type, incomplete: str) -> list[CompletionItem]:
    return _matching(_choices(kind), incomplete)


def _choices(kind: type) -> Iterator[tuple[str, str]]:
    from intrinsic_cli.settings import describe

    for knob in describe(kind):
        if knob.type == "bool":
            yield from ((f"{knob.name}={word}", knob.help) for word in ("true", "false"))
        elif knob.choices:
            yield from ((f"{knob.name}={choice}", knob.help) for choice in knob.choices)
        else:
            yield f"{knob.name}=", knob.help


def _matching(names: Iterable[tuple[str, str]], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name, help=help) for name, help in names if name.startswith(incomplete)]
