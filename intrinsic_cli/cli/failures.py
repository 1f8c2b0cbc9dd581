"""What users see when something goes wrong: one sentence, a hint, an exit code."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from intrinsic_cli.api import IidError, UsageError
from intrinsic_cli.cli.printable import printable
from intrinsic_cli.cli.surroundings import silence
from intrinsic_cli.kit.files.os_errors import advice, hint_of, reason
from intrinsic_cli.kit.files.out_of_memory import HINT, OUT_OF_MEMORY, is_out_of_memory

INTERRUPTED = 130
#: What a stream that is full or gone answers.
CANNOT_WRITE = (errno.ENOSPC, errno.EIO, errno.EBADF, errno.EFBIG)
#: Newer click raises this where a command without arguments shows its help; older click just shows
#: it.
NO_ARGS: type[click.UsageError] | tuple[()] = getattr(click.exceptions, "NoArgsIsHelpError", ())


def guarded(run: Callable[[], Any], words: Sequence[str] = ()) -> int:
    """Run the command of these ``words``; its number, or 0, is the exit code. No exception leaves
    here except SystemExit."""
    debug = "--debug" in words
    try:
        result = run()
        sys.stdout.flush()
    except click.exceptions.Abort:  # click's name for Ctrl-C
        return _say("interrupted", "", INTERRUPTED)
    except NO_ARGS as error:
        click.echo(error.format_message(), err=True)
        return error.exit_code
    except click.ClickException as error:
        hint = _file_with_dash(words) or _see(error)
        return _say(error.format_message(), hint, error.exit_code)
    except UsageError as error:
        hint = _file_with_dash(words) or hint_of(error)
        return _fail(error.message, hint, error.exit_code, debug)
    except IidError as error:
        return _fail(error.message, hint_of(error), error.exit_code, debug)
    except BrokenPipeError:
        silence(sys.stdout)
        return 1
    except Exception as error:
        return _unexpected(error, debug)
    return result if isinstance(result, int) else 0


def _unexpected(error: Exception, debug: bool) -> int:
    if isinstance(error, OSError) and error.errno in CANNOT_WRITE and error.filename is None:
        silence(sys.stdout)
        told = f"cannot write the results: {error.strerror}"
        return _fail(told, advice(error), 1, debug)
    if isinstance(error, OSError) and isinstance(error.filename, str | Path):
        return _fail(f"{error.filename}: {reason(error)}", advice(error), 1, debug)
    if is_out_of_memory(error):
        return _fail(OUT_OF_MEMORY, HINT, 1, debug)
    hint = "run again with --debug to see where it happened"
    if debug:
        hint = "please report this with the lines above"
    return _fail(f"unexpected {type(error).__name__}: {error}", hint, 1, debug)


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


def _file_with_dash(words: Sequence[str]) -> str:
    """What to write for a file whose name was taken for an option; "" where there is none."""
    options = words[: words.index("--")] if "--" in words else words
    for word in options:
        if word.startswith("-") and os.path.lexists(word):
            return f"there is a file called {word}: write ./{word}, or ./* for names like it"
    return ""


def _see(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"see `{context.command_path} --help`" if context is not None else ""
