"""What a Tab press offers in zsh, whose own functions are replaced by ones that tell of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ZSH = shutil.which("zsh")
#: ``_describe`` prints the words it is given, and what is written behind them.
TELL = """\
compdef() {}
compadd() {}
_describe() {
    local suffix=' '
    [[ ${@[-2]} == -S ]] && suffix=${@[-1]}
    for word in ${(P)3}; do print -r -- "[$word|$suffix]"; done
}
source "$1"
shift
words=("$@")
CURRENT=$#words
_iid_completion
"""

pytestmark = pytest.mark.skipif(ZSH is None, reason="there is no zsh on this machine")


def offered(folder: Path, *words: str) -> str:
    script = folder / "iid"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -m intrinsic_cli "$@"\n')
    script.chmod(0o755)
    path = f"{folder}:{os.environ['PATH']}"
    command = [str(ZSH), "-f", "-c", TELL, "zsh", f"{ROOT}/completions/iid.zsh", *words]
    environment = {**os.environ, "PATH": path}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    return done.stdout


def test_no_space_follows_what_goes_on(tmp_path: Path) -> None:
    """Behind ``folder:`` comes a path, behind ``size=`` a number."""
    data = offered(tmp_path, "iid", "train", "--data", "fol")
    assert "your own photos" in data
    assert data.endswith("|]\n"), "nothing behind the colon"
    options = offered(tmp_path, "iid", "decompose", "-m", "flow", "-O", "si")
    assert options.startswith("[size=:")
    assert options.endswith("|]\n")


def test_a_space_follows_what_is_whole(tmp_path: Path) -> None:
    whole = offered(tmp_path, "iid", "eval")
    assert "evaluate" in whole
    assert whole.endswith("| ]\n")
