"""A Tab press in a real bash, on a real terminal."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BASH = shutil.which("bash")
PROMPT = "ready> "
PATIENCE = 60.0  # seconds; each press starts a Python, on a machine that may be busy

pytestmark = pytest.mark.skipif(BASH is None, reason="there is no bash on this machine")


class Terminal:
    """A bash that a test types into."""

    def __init__(self, folder: Path, path: Path) -> None:
        assert BASH is not None
        self.child, self.screen = pty.fork()
        if not self.child:
            os.chdir(folder)
            kept = {"PYTHONPATH": os.environ["PYTHONPATH"], "IID_HOME": os.environ["IID_HOME"]}
            kept |= {"PATH": f"{path}:{os.environ['PATH']}", "PS1": PROMPT, "TERM": "dumb"}
            os.execve(BASH, ["bash", "--norc", "--noprofile", "-i"], kept)
        self._until(PROMPT)
        self.enter("bind 'set bell-style none'; bind 'set enable-bracketed-paste off'")
        self.enter(f"PS1='{PROMPT}'; source {ROOT}/completions/iid.bash")

    def enter(self, line: str) -> str:
        """Type a line and Return; what it prints."""
        os.write(self.screen, f"{line}\n".encode())
        return self._until(f"\n{PROMPT}")

    def press(self, typed: str) -> str:
        """Type words and Tab; the line as bash completes it."""
        os.write(self.screen, b"\x15" + typed.encode() + b"\t")
        # The line is sent to a command that shows it, with `|` where the cursor stands.
        os.write(self.screen, b"|\x01printf '[%s]\\n' '\x05'\n")
        shown = self._until(f"\n{PROMPT}")
        return shown.rpartition("[")[2].partition("]")[0].removesuffix("|")

    def close(self) -> None:
        """Hang up."""
        os.kill(self.child, signal.SIGKILL)
        os.waitpid(self.child, 0)
        os.close(self.screen)

    def _until(self, end: str) -> str:
        text, limit = "", time.monotonic() + PATIENCE
        while not text.replace("\r", "").endswith(end):
            ready, _, _ = select.select([self.screen], [], [], 0.5)
            if ready:
                text += os.read(self.screen, 4096).decode(errors="replace")
            assert time.monotonic() < limit, f"bash says nothing more than {text!r}"
        return text.replace("\r", "")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an ``iid`` that is this one."""
    folder = tmp_path_factory.mktemp("bin")
    script = folder / "iid"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -m intrinsic_cli "$@"\n')
    script.chmod(0o755)
    return folder


@pytest.fixture
def terminal(tmp_path: Path, path: Path, home: Path) -> Iterator[Terminal]:
    (tmp_path / "scenes").mkdir()
    (tmp_path / "photo.jpg").touch()
    (home / "weights").mkdir()
    (home / "weights" / "mine-2.safetensors").touch()
    made = Terminal(tmp_path, path)
    yield made
    made.close()


def test_words_are_completed_behind_colons_and_equals(terminal: Terminal) -> None:
    for typed, completed in (
        ("iid dec", "iid decompose "),
        ("iid decompose -m sils:r", "iid decompose -m sils:reflection "),
        ("iid train --plugin flow:a", "iid train --plugin flow:albedo16 "),
        ("iid decompose --method=sils:r", "iid decompose --method=sils:reflection "),
        ("iid decompose -m flow -O mode=v", "iid decompose -m flow -O mode=vae "),
        ("iid decompose -m flow -O mir", "iid decompose -m flow -O mirror="),
        ("iid decompose -m flow -O mirror=f", "iid decompose -m flow -O mirror=false "),
        ("iid decompose -m sils:reflection --layers tr", None),
        ("iid train --plugin gray --set cro", "iid train --plugin gray --set crop="),
    ):
        wanted = completed or f"{typed}ansmission "
        assert terminal.press(typed) == wanted


def test_options_of_every_kind_are_completed(terminal: Terminal) -> None:
    for typed, completed in (
        ("iid decompose --weights mi", "iid decompose --weights mine-2 "),
        ("iid decompose --device mp", "iid decompose --device mps "),
        ("iid decompose --device cuda:", "iid decompose --device cuda:0 "),
        ("iid train --plugin gray --stage m", "iid train --plugin gray --stage main "),
        ("iid train --plugin gray --data syn", "iid train --plugin gray --data synth "),
        ("iid train --plugin gray --data cgin", "iid train --plugin gray --data cgintrinsics:"),
        ("iid evaluate --data mit:sc", "iid evaluate --data mit:scenes/"),
        ("iid decompose ph", "iid decompose photo.jpg "),
        (
            "iid decompose -m sils --layers albedo,s",
            "iid decompose -m sils --layers albedo,shading ",
        ),
        ("iid methods sils:t", "iid methods sils:three "),
        ("iid train --plugin gray --stage ", "iid train --plugin gray --stage main "),
        ("iid evaluate --data mit:", "iid evaluate --data mit:scenes/"),
        (
            "iid decompose -m sils --layers albedo,",
            "iid decompose -m sils --layers albedo,shading ",
        ),
    ):
        assert terminal.press(typed) == completed
