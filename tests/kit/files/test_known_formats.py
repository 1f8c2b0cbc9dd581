"""What a file is its bytes say, and what to install for it."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files.formats import OTHER_FORMATS, PHOTO_SUFFIXES, other_format
from intrinsic_cli.kit.files.photo import read_photo

NUMBERS = np.arange(7 * 9 * 3).reshape(7, 9, 3)


def tiff(numbers: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, numbers, photometric="rgb" if numbers.ndim == 3 else None, **options)
    return file.getvalue()


@pytest.fixture
def no_extras(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("rawpy", "pillow_heif", "imageio_ffmpeg"):
        monkeypatch.setitem(sys.modules, module, None)


@pytest.mark.usefixtures("no_extras")
@pytest.mark.parametrize("name", ["a.CR2", "a.nef", "a.dng", "a.heic", "a.MP4", "a.mov"])
def test_what_needs_an_extra_is_named(tmp_path: Path, name: str) -> None:
    """Even where Pillow would find a thumbnail in it."""
    raw = name[2:].lower() in ("cr2", "nef", "dng")
    (tmp_path / name).write_bytes(tiff(NUMBERS.astype(np.uint8)) if raw else bytes(100))
    kind = "RAW" if raw else "HEIC|video"
    with pytest.raises(DataError, match=f"it is a.* ({kind})|it is a ({kind})") as caught:
        read_photo(tmp_path / name)
    form = other_format(Path(name))
    assert form is not None
    assert caught.value.hint == form.hint
    if form.extra:
        assert f'pip install "intrinsic-cli[{form.extra}]"' in form.hint
        assert f"which needs the extra {form.extra!r}" in caught.value.message


@pytest.mark.parametrize("beginning", [b"SDPX", b"XPDS", b"\x80\x2a\x5f\xd7"])
def test_frames_of_film_are_named(tmp_path: Path, beginning: bytes) -> None:
    for name in ("a.dpx", "a"):
        (tmp_path / name).write_bytes(beginning + bytes(2048))
        with pytest.raises(DataError, match="it is a DPX or Cineon frame") as caught:
            read_photo(tmp_path / name)
        assert "ffmpeg" in caught.value.hint


@pytest.mark.parametrize("name", ["a.jpg", "a.heic", "a.MP4", "a.nef", "a.png", "a", "a.txt"])
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF"])
def test_what_a_file_is_its_bytes_say(form: str, name: str, tmp_path: Path) -> None:
    """Not its suffix: phones send JPEGs that are called HEIC."""
    image = Image.new("RGB", (8, 8), (200, 100, 50))
    image.save(tmp_path / name, form)
    photo = read_photo(tmp_path / name)
    assert photo.pixels[0, 0] == pytest.approx([0.578, 0.127, 0.032], abs=0.02)


def brand(name: bytes, *compatible: bytes) -> bytes:
    body = b"ftyp" + name + b"\0\0\0\0" + b"".join(compatible)
    return struct.pack(">I", len(body) + 4) + body + bytes(100)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (brand(b"heic", b"mif1"), "HEIC"),
        (brand(b"mif1", b"heic"), "HEIC"),
        (brand(b"isom", b"avc1"), "video"),
        (brand(b"qt  "), "video"),
        (brand(b"crx "), "RAW"),
        (b"\x1aE\xdf\xa3" + bytes(50), "video"),
        (b"RIFF\0\0\0\0AVI LIST" + bytes(50), "video"),
        (b"II*\0\x10\0\0\0CR\2\0" + bytes(50), "RAW"),
        (b"FUJIFILMCCD-RAW 0201" + bytes(50), "RAW"),
        (b"IIRO" + bytes(50), "RAW"),
        (b"IIU\0" + bytes(50), "RAW"),
    ],
)
@pytest.mark.usefixtures("no_extras")
def test_other_formats_are_known_by_their_beginning(data: bytes, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_photo(data)


def test_avif_is_no_video() -> None:
    codes = np.full((8, 8, 3), 128, np.uint8)
    file = io.BytesIO()
    try:
        Image.fromarray(codes).save(file, "AVIF")
    except (KeyError, OSError):
        pytest.skip("this Pillow has no AVIF")
    assert np.allclose(read_photo(file.getvalue()).pixels, 0.2159, atol=0.02)


def test_no_suffix_is_of_two_minds() -> None:
    suffixes = [suffix for form in OTHER_FORMATS for suffix in form.suffixes]
    assert len(suffixes) == len(set(suffixes))
    assert not PHOTO_SUFFIXES & set(suffixes)
    assert all(suffix == suffix.lower() for suffix in suffixes)


def test_names_of_formats_are_light() -> None:
    """They are read before torch is, and at a press of Tab."""
    program = (
        "import sys; import intrinsic_cli.kit.files.outputs, intrinsic_cli.kit.files.sidecar,"
        " intrinsic_cli.kit.files.formats, intrinsic_cli.kit.files.read_layers,"
        " intrinsic_cli.kit.files.quiet;"
        " print({'torch', 'numpy', 'cv2', 'PIL', 'OpenEXR'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "set()\n", done.stderr
