"""Options that several commands share, under the same names everywhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import click

from intrinsic_cli.cli import tab
from intrinsic_cli.cli.paths import ExistingPath
from intrinsic_cli.requests import DEVICE, MAX_SEED

Decorator = Callable[[Any], Any]

DURATION = re.compile(r"(\d+(?:\.\d+)?)([smh]?)")
SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}


class Duration(click.ParamType):  # type: ignore[type-arg]  # generic only in newer click
    """``90``, ``90s``, ``30m`` or ``1.5h`` → seconds."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The seconds, or a usage error."""
        found = DURATION.fullmatch(str(value).strip())
        if found is None or not float(found[1]):
            self.fail(f"{value!r} is not a duration: write 90s, 30m or 2h", param, ctx)
        return float(found[1]) * SECONDS[found[2]]


class AutoInt(click.ParamType):  # type: ignore[type-arg]  # generic only in newer click
    """``auto`` → None, or a whole number above 0."""

    name = "auto|n"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | None:
        """The number, or a usage error."""
        text = str(value).strip().lower()
        if value is None or text == "auto":
            return None
        if not text.isdecimal() or not int(text):
            self.fail(f"{value!r} is neither auto nor a whole number above 0", param, ctx)
        return int(text)


def method(default: Any = "flow", **more: Any) -> Decorator:
    """``-m/--method/--plugin NAME[:VARIANT]``: one option under three names."""
    more.setdefault("help", "Method and variant.")
    names = ("method", "-m", "--method", "--plugin")
    return click.option(
        *names,
        metavar="NAME[:VARIANT]",
        default=default,
        show_default=True,
        shell_complete=tab.methods,
        **more,
    )


def settings(*names: str, help: str, complete: tab.Completer = tab.option_keys) -> Decorator:
    """``-O key=value``, as often as you like."""
    return click.option(
        "settings", *names, multiple=True, metavar="KEY=VALUE", help=help, shell_complete=complete
    )


def data(**more: Any) -> Decorator:
    """``--data NAME[:PATH]|FOLDER``."""
    return click.option(
        "--data",
        metavar="NAME[:PATH]|FOLDER",
        default="synth",
        show_default=True,
        help="Dataset; see `iid datasets`.",
        shell_complete=tab.datasets,
        **more,
    )


def device(function: Any) -> Any:
    """``--device`` and ``--precision``."""
    function = click.option(
        "--precision",
        type=click.Choice(["auto", "fp32", "bf16", "fp16"]),
        default="auto",
        show_default=True,
        help="Number format of the network.",
    )(function)
    return click.option(
        "--device",
        metavar="auto|cpu|cuda|cuda:N|mps",
        default="auto",
        show_default=True,
        callback=_check_device,
        help="Where to compute.",
        shell_complete=tab.devices,
    )(function)


config = click.option(
    "--config",
    type=ExistingPath(dir_okay=False),
    help="Settings in a TOML file.",
)
weights = click.option(
    "--weights",
    default="",
    metavar="PATH|NAME",
    help="Weights other than the method's own.",
    shell_complete=tab.weights,
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
# Read by the group from the bare words, so that it works even where parsing fails.
debug = click.option(
    "--debug", is_flag=True, expose_value=False, help="Show the traceback of an error."
)


def seed(default: int | None = 0) -> Decorator:
    """``--seed N``."""
    return click.option(
        "--seed",
        type=int,
        default=default,
        show_default=default is not None,
        callback=_check_seed,
        help="Random seed.",
    )


def _check_seed(_ctx: click.Context, _param: click.Parameter, value: int | None) -> int | None:
    if value is not None and not 0 <= value <= MAX_SEED:
        raise click.BadParameter(f"{value} is not a whole number from 0 to 2^63 - 1")
    return value


def _check_device(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    device = value.strip().lower()
    if not re.fullmatch(DEVICE, device):
        raise click.BadParameter(f"{value!r} is none of auto, cpu, cuda, cuda:N, mps")
    return device
