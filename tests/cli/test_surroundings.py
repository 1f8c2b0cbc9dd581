"""Closed and full streams, a folder that is gone, names that a terminal would obey."""

from __future__ import annotations

import io
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from intrinsic_cli.api import DataError
from intrinsic_cli.cli import console, iid
from intrinsic_cli.cli.failures import guarded
from intrinsic_cli.cli.printable import printable

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
IID = f"{shlex.quote(sys.executable)} -m intrinsic_cli"


def shell(line: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """A line of a shell; ``iid`` in it is this one."""
    words = ["sh", "-c", line.replace("iid ", f"{IID} ", 1)]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    return subprocess.run(
        words, capture_output=True, text=True, cwd=folder, env=environment, check=False
    )


@needs_full
def test_full_stdout_is_a_sentence() -> None:
    done = shell("iid methods >/dev/full")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-2:] == [
        "iid: cannot write the results: No space left on device",
        "hint: make room on that disk",
    ]
    assert "Exception" not in done.stderr


@needs_full
@pytest.mark.parametrize("words", ["methods", "methods --json"])
def test_full_stderr_does_not_stop_the_work(words: str) -> None:
    done = shell(f"iid {words} 2>/dev/full")
    assert done.returncode == 0
    assert "gray" in done.stdout


@needs_full
def test_full_stderr_keeps_the_exit_code() -> None:
    assert shell("iid methods nothing 2>/dev/full").returncode == 2
    assert shell(f"iid methods {'n' * 20_000} 2>/dev/full").returncode == 2


def test_closed_stdout_is_a_sentence() -> None:
    done = shell("iid methods >&-")
    assert done.returncode == 1
    assert done.stderr == ("iid: stdout is closed\nhint: send it to /dev/null if nobody reads it\n")


def test_closed_stderr_and_stdin_are_nothing_special() -> None:
    assert "gray" in shell("iid methods 2>&-").stdout
    assert "gray" in shell("iid methods <&-").stdout
    assert shell("iid methods nothing 2>&- <&-").returncode == 2
    assert shell("iid methods >&- 2>&-").returncode == 1


def test_what_is_printed_never_lands_in_a_file(tmp_path: Path) -> None:
    """The first file that is opened would get the number of a closed stderr."""
    done = shell("iid plugin new warm 2>&- <&-", tmp_path)
    assert done.returncode == 0
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) == 4
    assert not [path for path in written if "pip install" in path.read_text()]


def test_a_working_folder_that_is_gone(tmp_path: Path) -> None:
    for words in ("plugin new warm", "decompose photo.jpg -m retinex", "train --plugin gray"):
        line = f"mkdir gone; cd gone; rmdir ../gone; iid {words}"
        done = shell(line, tmp_path)
        assert done.returncode == 1
        assert done.stderr == (
            "iid: the working folder does not exist any more\nhint: cd to another\n"
        )


EVIL = "a\x1b[31mred\nhint: rm -rf ~\u202egnp.jpg"


def test_control_characters_are_spelled_out() -> None:
    assert printable(EVIL) == "a\\x1b[31mred\\nhint: rm -rf ~\\u202egnp.jpg"
    assert printable("Grüße, 写真 👩‍🎨.jpg") == "Grüße, 写真 👩‍🎨.jpg"
    assert printable("a\\nb") == "a\\nb"


def test_messages_stay_on_their_lines(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise DataError(f"no photo {EVIL}", f"look at {EVIL}")

    assert guarded(fail) == 4
    told = capsys.readouterr().err
    assert "\x1b" not in told
    assert [line[:6] for line in told.splitlines()] == ["iid: n", "hint: "]


def test_a_name_typed_wrong_is_printed_safely() -> None:
    for words in (["methods", EVIL], ["decompose", EVIL], ["decompose", "-m", EVIL, "x"], [EVIL]):
        done = CliRunner().invoke(iid, words)
        assert done.exit_code in (2, 4)
        assert "\x1b" not in done.stderr
        assert "\u202e" not in done.stderr
        assert len(done.stderr.splitlines()) <= 2


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_notes_and_results_are_safe_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = Terminal(), io.StringIO()
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.stderr", err)
    with console.progress() as listener:
        listener.note(f"skipped {EVIL}")
        listener.result(EVIL)
    assert out.getvalue() == f"{printable(EVIL)}\n"
    assert err.getvalue() == f"skipped {printable(EVIL)}\n"


def test_results_stay_exact_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    with console.progress() as listener:
        listener.result(EVIL)
    console.table(("name",), [(EVIL,)])
    assert capsys.readouterr().out == f"{EVIL}\nname\n{printable(EVIL)}\n"


def test_json_stays_exact() -> None:
    import json

    from intrinsic_cli.cli.output import line

    assert json.loads(line({"input": EVIL})) == {"input": EVIL}
    assert "\n" not in line({"input": EVIL})
    assert os.linesep not in line({"input": EVIL})
