"""Memory that runs out: told as that, for one photo, and the rest is done."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from decomposing import go, photo, statuses
from PIL import Image

from intrinsic_cli.api import DataError
from intrinsic_cli.cli.failures import guarded
from intrinsic_cli.kit.files import decode, out_of_memory
from intrinsic_cli.kit.files import photo as photo_file
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.out_of_memory import HINT, OUT_OF_MEMORY
from intrinsic_cli.kit.files.photo import read_photo


def save(form: str) -> bytes:
    page = io.BytesIO()
    Image.new("RGB", (40, 30)).save(page, form)
    return page.getvalue()


def encode(suffix: str, codes: Any) -> bytes:
    return bytes(cv2.imencode(suffix, codes)[1])


def run_out(*_: Any, **__: Any) -> None:
    raise MemoryError


def has_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where memory does not hold the picture."""
    monkeypatch.setattr(out_of_memory.mmap, "mmap", run_out)


def test_it_is_told_apart_from_a_damaged_file(monkeypatch: pytest.MonkeyPatch) -> None:
    data = save("GIF")
    monkeypatch.setattr("PIL.GifImagePlugin.GifImageFile.load", run_out)
    with pytest.raises(DataError, match="truncated or damaged"):
        read_photo(data)
    has_little(monkeypatch)
    with pytest.raises(DataError, match=OUT_OF_MEMORY) as caught:
        read_photo(data)
    assert "--max-pixels" in caught.value.hint


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_what_opencv_reads_tells_it_too(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    gray = np.arange(1200, dtype=np.uint16).reshape(30, 40)
    data = encode(f".{form.lower()}", gray)
    monkeypatch.setattr(decode, "_decoded", run_out)
    has_little(monkeypatch)
    with pytest.raises(DataError, match=OUT_OF_MEMORY):
        read_photo(data)


def test_opencv_and_torch_say_it_in_words() -> None:
    words = "(-4:Insufficient memory) Failed to allocate 9 bytes in function 'OutOfMemoryError'"
    assert out_of_memory.is_out_of_memory(cv2.error(words))
    assert out_of_memory.is_out_of_memory(RuntimeError("you tried to allocate memory"))
    assert not out_of_memory.is_out_of_memory(ValueError("odd"))


def test_what_fits_and_what_does_not() -> None:
    assert out_of_memory.has_room(40, 30)
    assert not out_of_memory.has_room(1 << 31, 1 << 31)


def test_the_rest_of_the_folder_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.png", "b.png"):
        photo(tmp_path / "in" / name)
    before, seen = photo_file.read_photo, []

    def short(*given: Any, **more: Any) -> Any:
        seen.append(given)
        return run_out() if len(seen) == 1 else before(*given, **more)

    monkeypatch.setattr(photo_file, "read_photo", short)
    report = go(tmp_path / "in", out=tmp_path / "out")
    assert statuses(report) == {"done": 1, "skipped": 0, "failed": 1}
    told = next(one.error for one in report.inputs if one.status == "failed")
    assert told == f"{OUT_OF_MEMORY} ({HINT})"


def test_commands_tell_it_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(run_out) == 1
    told = capsys.readouterr().err.splitlines()
    assert told == [f"iid: {OUT_OF_MEMORY}", f"hint: {HINT}"]
