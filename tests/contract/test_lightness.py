"""``iid --help``, ``iid methods`` and a Tab press: nothing heavy imported, 150 ms of CPU at
most."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

LIMIT = 0.150  # CPU seconds
#: CPU seconds that this takes where nothing else runs; a busy or slower machine is granted as much
#: more of everything else.
YARDSTICK = "import click, dataclasses, importlib.metadata"
YARD = 0.060
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


@pytest.fixture(scope="module", autouse=True)
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Modules are compiled once, as they are where ``pip`` put them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        patch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path_factory.mktemp("compiled")))
        yield


def run(*words: str, **environment: str) -> tuple[subprocess.CompletedProcess[str], float]:
    """The finished process and the CPU seconds it took."""
    before = used_by_children()
    environment = {**os.environ, **environment}
    done = subprocess.run(words, capture_output=True, text=True, env=environment, check=False)
    return done, used_by_children() - before


def used_by_children() -> float:
    """CPU seconds of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def is_quick(*words: str, **environment: str) -> bool:
    """Is the least of a few runs within the limit? The others measure what else the machine was
    doing."""
    for _ in range(5):
        _, yard = run(sys.executable, "-c", YARDSTICK)
        _, used = run(sys.executable, "-m", "intrinsic_cli", *words, **environment)
        if used <= LIMIT * max(1, yard / YARD):
            return True
    return False


@pytest.mark.parametrize("words", QUICK, ids=" ".join)
def test_nothing_heavy_is_imported(words: tuple[str, ...]) -> None:
    done, _ = run(sys.executable, "-c", LOOK, *words)
    assert done.stderr.splitlines()[-1] == "heavy"
    assert f"exit {2 if 'grey' in words else 0}" in done.stderr


@pytest.mark.parametrize("words", QUICK[:4], ids=" ".join)
def test_start_is_quick(words: tuple[str, ...]) -> None:
    assert is_quick(*words)


TABS = {
    "iid ": "decompose",
    "iid decompose -m g": "gray",
    "iid decompose -m gray -O f": "floor=",
    "iid decompose -m gray --layers s": "shading",
    "iid decompose --weights g": "gray",
    "iid decompose --device c": "cuda:0",
    "iid train -m gray --data s": "synth",
    "iid train -m gray --stage m": "main",
}


@pytest.mark.parametrize("typed", TABS)
def test_a_tab_press_is_quick_and_right(typed: str, home: Path) -> None:
    (home / "weights").mkdir()
    (home / "weights" / "gray.safetensors").touch()
    pressed = {"_IID_COMPLETE": "bash_complete", "_IID_LINE": typed, "_IID_BREAKS": " :="}
    words = (sys.executable, "-X", "importtime", "-m", "intrinsic_cli")
    done, _ = run(*words, **pressed)
    assert TABS[typed] in [line.partition(",")[2] for line in done.stdout.splitlines()]
    modules = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not modules & set(HEAVY)
    assert is_quick(**pressed)
