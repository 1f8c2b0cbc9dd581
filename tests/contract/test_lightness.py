"""``iid --help``, ``iid methods`` and a Tab press: nothing heavy imported, 150 ms of CPU at
most."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

LIMIT = 0.150  # CPU seconds
HEAVY = ("torch", "numpy", "cv2", "PIL", "rich", "safetensors")
LOOK = f"""
import sys
from intrinsic_cli.cli import iid
try:
    iid.main(sys.argv[1:])
except SystemExit as end:
    print("exit", end.code, file=sys.stderr)
print("heavy", *[name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""
QUICK = (
    ("--help",),
    ("--version",),
    ("methods",),
    ("methods", "--json"),
    ("methods", "gray"),
    ("datasets",),
    ("decompose", "--help"),
    ("decompose", "-m", "gray", "--help"),
    ("train", "--plugin", "gray", "--help"),
    ("completions", "bash"),
    ("decompose", "-m", "grey", "photo.jpg"),
)


def run(*words: str, **environment: str) -> tuple[subprocess.CompletedProcess[str], float]:
    """The finished process and the CPU seconds it took."""
    before = os.times()
    done = subprocess.run(
        words, capture_output=True, text=True, env={**os.environ, **environment}, check=False
    )
    after = os.times()
    used = (
        after.children_user + after.children_system - before.children_user - before.children_system
    )
    return done, used


@pytest.mark.parametrize("words", QUICK, ids=" ".join)
def test_nothing_heavy_is_imported(words: tuple[str, ...]) -> None:
    done, _ = run(sys.executable, "-c", LOOK, *words)
    assert done.stderr.splitlines()[-1] == "heavy"
    assert f"exit {2 if 'grey' in words else 0}" in done.stderr


@pytest.mark.parametrize("words", QUICK[:4], ids=" ".join)
def test_start_is_quick(words: tuple[str, ...]) -> None:
    # The least of a few: the others measure what else the machine was doing.
    assert min(run(sys.executable, "-m", "intrinsic_cli", *words)[1] for _ in range(5)) <= LIMIT


TABS = {"iid ": "decompose", "iid decompose -m g": "gray", "iid train -m gray --data s": "synth"}
TABS["iid decompose -m gray -O f"] = "floor="


@pytest.mark.parametrize("typed", TABS)
def test_a_tab_press_is_quick_and_right(typed: str) -> None:
    words = {
        "_IID_COMPLETE": "bash_complete",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(typed.count(" ")),
    }
    runs = [
        run(sys.executable, "-X", "importtime", "-m", "intrinsic_cli", **words) for _ in range(3)
    ]
    done, _ = runs[0]
    assert TABS[typed] in [line.partition(",")[2] for line in done.stdout.splitlines()]
    modules = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not modules & set(HEAVY)
    assert min(used for _, used in runs) <= LIMIT
