"""Completion for bash, which breaks words at ``:`` and ``=``.

click's own script hands over bash's words, so ``sils:reflection`` comes as three of them and
nothing is found. This one hands over the line, and gives back only what stands behind the last
break: that is the part that bash replaces."""

from __future__ import annotations

import os

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    add_completion_class,
    split_arg_string,
)

SCRIPT = """\
_iid_completion() {
    local type value
    COMPREPLY=()
    while IFS=',' read -r type value; do
        case $type in
            dir) compopt -o dirnames -o filenames ;;
            file) compopt -o default -o filenames ;;
            plain)
                COMPREPLY+=("$value")
                [[ $value == *[=:] ]] && compopt -o nospace
                ;;
        esac
    done < <(_IID_COMPLETE=bash_complete _IID_LINE="${COMP_LINE:0:COMP_POINT}" \\
        _IID_BREAKS="$COMP_WORDBREAKS" "$1" 2>/dev/null)
}

complete -o nosort -F _iid_completion iid
"""


class Bash(BashComplete):
    """Completes the line up to the cursor."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The finished words behind ``iid``, and the unfinished one."""
        line = os.environ.get("_IID_LINE", "")
        words = split_arg_string(line)
        finished = not line or line[-1].isspace()
        last = "" if finished else words.pop()
        return words[1:], last

    def format_completion(self, item: CompletionItem) -> str:
        """What bash has to put behind the last break."""
        _, word = self.get_completion_args()
        return f"{item.type},{item.value[_kept(word) :]}"


def _kept(word: str) -> int:
    """How many characters of a candidate bash keeps, because they stand before a break in
    ``word``."""
    behind = word
    for mark in os.environ.get("_IID_BREAKS", ""):
        if mark in ":=":
            behind = behind.rpartition(mark)[2]
    # click takes `--option=` off the word before it asks for candidates.
    asked = word.partition("=")[2] if word.startswith("-") and "=" in word else word
    return len(asked) - len(behind)


def register() -> None:
    """Let click use this class for bash."""
    add_completion_class(Bash)
