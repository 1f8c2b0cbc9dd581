"""Empty words, which scripts write whose variables are not set."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from intrinsic_cli.cli import iid


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["decompose", ""], "there is an empty word after decompose"),
        (["decompose", "a.png", "-o", ""], "there is an empty word after -o"),
        (["decompose", "a.png", "--mask="], "there is nothing behind --mask="),
        (["train", "-m", "gray", "--out", ""], "there is an empty word after --out"),
        ([""], "there is an empty word\n"),
    ],
)
def test_they_are_refused(
    words: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.png").write_bytes(b"what an empty path would find")
    done = CliRunner().invoke(iid, words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"iid: {told}")
    assert "variable of a script" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_settings_may_be_empty() -> None:
    done = CliRunner().invoke(iid, ["decompose", "nowhere.png", "-O", "x="])
    assert "empty word" not in done.stderr
    assert "nothing behind" not in done.stderr
