"""What users see when something goes wrong: one sentence, a hint, an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

import click

from intrinsic_cli.api import IidError

INTERRUPTED = 130
#: Newer click raises this where a command without arguments shows its help; older click just shows
#: it.
NO_ARGS: type[click.UsageError] | tuple[()] = getattr(click.exceptions, "NoArgsIsHelpError", ())


def guarded(run: Callable[[], Any], debug: bool = False) -> int:
    """Run a command; its number, or 0, is the exit code. No exception leaves here except
    SystemExit."""
    try:
        result = run()
        sys.stdout.flush()
    except click.exceptions.Abort:  # click's name for Ctrl-C
        return _say("interrupted", "", INTERRUPTED)
    except NO_ARGS as error:
        click.echo(error.format_message(), err=True)
        return error.exit_code
    except click.ClickException as error:
        return _say(error.format_message(), _see(error), error.exit_code)
    except IidError as error:
        _trace(debug)
        return _say(error.message, error.hint, error.exit_code)
    except BrokenPipeError:
        return _silence()
    except Exception as error:
        _trace(debug)
        return _say(f"unexpected {type(error).__name__}: {error}", _advice(debug), 1)
    return result if isinstance(result, int) else 0


def _say(message: str, hint: str, code: int) -> int:
    click.echo(f"iid: {message}", err=True)
    if hint:
        click.echo(f"hint: {hint}", err=True)
    return code


def _see(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"see `{context.command_path} --help`" if context is not None else ""


def _advice(debug: bool) -> str:
    return (
        "please report this with the lines above"
        if debug
        else "run again with --debug to see where it happened"
    )


def _trace(debug: bool) -> None:
    if debug:
        traceback.print_exc()


def _silence() -> int:
    """Whoever read our output is gone; point stdout nowhere so that the interpreter's last flush
    stays quiet."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1
