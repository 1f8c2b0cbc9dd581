"""What users see when something goes wrong: one sentence, a hint, an exit code."""

from __future__ import annotations

import errno
import sys
import traceback
from collections.abc import Callable
from typing import Any

import click

from intrinsic_cli.api import IidError
from intrinsic_cli.cli.printable import printable
from intrinsic_cli.cli.surroundings import silence

INTERRUPTED = 130
#: What a stream that is full or gone answers.
CANNOT_WRITE = (errno.ENOSPC, errno.EIO, errno.EBADF, errno.EFBIG)
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
        return _fail(error.message, error.hint, error.exit_code, debug)
    except BrokenPipeError:
        silence(sys.stdout)
        return 1
    except Exception as error:
        return _unexpected(error, debug)
    return result if isinstance(result, int) else 0


def _unexpected(error: Exception, debug: bool) -> int:
    if isinstance(error, OSError) and error.errno in CANNOT_WRITE and error.filename is None:
        silence(sys.stdout)
        return _fail(f"cannot write the results: {error.strerror}", "", 1, debug)
    advice = "run again with --debug to see where it happened"
    if debug:
        advice = "please report this with the lines above"
    return _fail(f"unexpected {type(error).__name__}: {error}", advice, 1, debug)


def _fail(message: str, hint: str, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    return _say(message, hint, code)


def _say(message: str, hint: str, code: int) -> int:
    click.echo(f"iid: {_one_line(message)}", err=True)
    if hint:
        click.echo(f"hint: {_one_line(hint)}", err=True)
    return code


def _one_line(text: str) -> str:
    """click breaks some of its lines; names in a message may hold anything."""
    return printable(text.replace("\n\t", " "))


def _see(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"see `{context.command_path} --help`" if context is not None else ""
