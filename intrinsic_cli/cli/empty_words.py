"""Words of a command line that are empty: a script whose variable is not set writes them, and means
something else than this folder, which is what an empty path is."""

from __future__ import annotations

from collections.abc import Sequence

from intrinsic_cli.api import UsageError


def refuse_empty(words: Sequence[str]) -> None:
    """UsageError where a word, or what stands behind the ``=`` of an option, is empty."""
    before = ""
    for word in words:
        if not word:
            after = f" after {before}" if before else ""
            raise _empty(f"there is an empty word{after}")
        if word.startswith("--") and word.endswith("="):
            raise _empty(f"there is nothing behind {word}")
        before = word


def _empty(message: str) -> UsageError:
    return UsageError(message, "is a variable of a script not set?")
