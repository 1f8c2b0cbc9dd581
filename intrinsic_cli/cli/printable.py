"""Text that is safe to show: file names may hold anything, a terminal obeys what it reads."""

from __future__ import annotations

import unicodedata

#: Categories of Unicode that draw nothing: control characters, and those that turn text round.
HIDDEN = ("Cc", "Cf")
#: Joins emoji and letters of several scripts: harmless, and ugly when escaped.
JOINERS = ("\u200c", "\u200d")


def printable(text: str) -> str:
    """``text`` with control characters (newlines too) spelled out, ``\\x1b``, so that it stays on
    one line and a terminal only shows it."""
    if text.isprintable():
        return text
    return "".join(map(_spelled, text))


def _spelled(character: str) -> str:
    if unicodedata.category(character) not in HIDDEN or character in JOINERS:
        return character
    return character.encode("unicode_escape").decode("ascii")
