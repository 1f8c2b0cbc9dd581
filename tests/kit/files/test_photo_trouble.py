"""Files that are no photos are named in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from image_files import DEEP, FLAT, REAL, encode, save
from PIL import Image

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files.photo import read_photo


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"hello, this is text", "not an image"),
        (encode(".png", FLAT)[:900], "truncated"),
        (encode(".png", DEEP)[:900], "truncated"),
        (encode(".tiff", DEEP)[:900], "truncated"),
        (encode(".tiff", REAL)[:900], "truncated"),
        (encode(".hdr", REAL)[:60], "truncated"),
        (save(Image.fromarray(FLAT[..., :3]), "JPEG")[:700], "truncated"),
        (save(Image.fromarray(FLAT[..., :3]), "WEBP")[:200], "truncated|not an image"),
        (b"\x76\x2f\x31\x01" + b"nonsense" * 9, "truncated"),
    ],
)
def test_broken_files(
    data: bytes, words: str, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=words) as caught:
        read_photo(data)
    assert caught.value.hint
    assert "\n" not in caught.value.message
    (tmp_path / "bad.jpg").write_bytes(data)
    with pytest.raises(DataError, match=r"bad\.jpg: "):
        read_photo(tmp_path / "bad.jpg")
    assert capfd.readouterr() == ("", ""), "decoders keep quiet"


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_photo(tmp_path / "nothing.png")
