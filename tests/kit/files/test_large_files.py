"""Large files of 16 bits: decoded once, not copied."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from image_files import DEEP, encode

from intrinsic_cli.kit.files import decode as decoding
from intrinsic_cli.kit.files.decode import decode
from intrinsic_cli.kit.files.opencv import cv2

SIDE = 2500
STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for memory")
def test_the_picture_is_in_memory_once() -> None:
    codes = np.random.default_rng(0).integers(0, 65536, (SIDE, SIDE, 3), np.uint16)
    _, encoded = cv2.imencode(".png", codes, [cv2.IMWRITE_PNG_COMPRESSION, 0])
    data = encoded.tobytes()
    assert len(data) > decoding._LARGE
    del encoded
    decode(encode(".png", DEEP))  # what is loaded for the first picture counts for none
    try:
        CLEAR.write_text("5")  # the most memory that was taken is forgotten
    except OSError:
        pytest.skip("this system does not let it be asked for")
    before = told("VmRSS")
    read = decode(data)
    taken = told("VmHWM") - before
    assert np.array_equal(read, codes[..., ::-1])
    assert taken < 1.5 * codes.nbytes


def told(name: str) -> int:
    """Bytes."""
    lines = STATUS.read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(name))


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_what_is_in_them_is_that_of_small_ones(
    suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for codes in (DEEP, DEEP[..., :3], DEEP[..., 0]):
        data = encode(suffix, codes)
        small = decode(data)
        monkeypatch.setattr(decoding, "_LARGE", 0)
        assert np.array_equal(decode(data), small)
        monkeypatch.undo()


@pytest.mark.parametrize("trouble", ["full", "old"])
def test_they_are_read_without_a_disk_too(trouble: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenCV has not always read into memory that is handed over."""

    def refuse(*_: Any) -> None:
        raise OSError(28, "No space left on device") if trouble == "full" else TypeError

    data = encode(".png", DEEP)
    owner, name = (Path, "write_bytes") if trouble == "full" else (cv2, "imread")
    monkeypatch.setattr(decoding, "_LARGE", 0)
    monkeypatch.setattr(owner, name, refuse)
    assert np.array_equal(decode(data), DEEP)
