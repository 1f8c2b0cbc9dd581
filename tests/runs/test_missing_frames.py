"""Patterns of frames that are not there."""

from __future__ import annotations

from pathlib import Path

import pytest
from decomposing import go, photo

from intrinsic_cli.api import DataError


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        ("in/a.####.exr", "did you mean {0}/in/a.####.png?"),
        ("in/a.%04d.exr", "did you mean {0}/in/a.%04d.png?"),
        ("in/a.#####.png", "did you mean {0}/in/a.####.png?"),
        ("in/beuaty_####.png", "did you mean {0}/in/beauty_####.png?"),
        ("in/dog.%04d.png", "frames that are there: a.%04d.png, beauty_%04d.png"),
        ("gone/a.####.exr", "there is no folder {0}/gone"),
        ("a.####.exr", "write %04d, or ####"),
    ],
)
def test_frames_of_that_name_in_another_format(tmp_path: Path, pattern: str, hint: str) -> None:
    for name in ("a.0001.png", "a.0002.png", "beauty_0001.png", "beauty_0002.png"):
        photo(tmp_path / "in" / name)
    photo(tmp_path / "b.png")
    told = hint.format(tmp_path)
    with pytest.raises(DataError, match="no frames called") as caught:
        go(tmp_path / pattern, out=tmp_path / "out")
    assert caught.value.hint.startswith(told)
    report = go(tmp_path / pattern, tmp_path / "b.png", out=tmp_path / "out")
    assert sorted(one.status for one in report.inputs) == ["done", "failed"]
    assert told in next(one.error for one in report.inputs if one.error)


def test_one_file_of_much_the_same_name(tmp_path: Path) -> None:
    photo(tmp_path / "in/IMG 3.png")
    with pytest.raises(DataError, match="no frames called") as caught:
        go(tmp_path / "in/IMG #3.png", out=tmp_path / "out")
    assert caught.value.hint.startswith(f"did you mean {tmp_path}/in/IMG 3.png?; write %04d")
