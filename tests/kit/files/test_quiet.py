"""Decoders may say what they like: none of it gets into the program's own output."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import OpenEXR
import pytest
from PIL import Image

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files import quiet
from intrinsic_cli.kit.files.photo import read_photo

NOISE = np.random.default_rng(0).random((64, 64)).astype(np.float32)


def broken_exr(folder: Path) -> bytes:
    """The OpenEXR package prints a warning to sys.stdout, and its core one to stderr."""
    path = folder / "a.exr"
    OpenEXR.File({}, dict.fromkeys("RGB", NOISE)).write(str(path))
    return path.read_bytes()[:6000]


def broken_tiff() -> bytes:
    """libtiff complains to stderr."""
    file = io.BytesIO()
    codes = (NOISE * 255).astype(np.uint8)
    Image.fromarray(codes).save(file, "TIFF", compression="tiff_lzw")
    data = bytearray(file.getvalue())
    data[2000:2100] = b"\xff" * 100
    return bytes(data)


def test_a_truncated_exr_prints_nothing_to_stdout(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    stdout = sys.stdout
    with pytest.raises(DataError, match="truncated"):
        read_photo(broken_exr(tmp_path))
    assert sys.stdout is stdout
    assert capfd.readouterr().out == ""


def test_other_threads_go_on_printing(capsys: pytest.CaptureFixture[str]) -> None:
    silent, done = threading.Event(), threading.Event()

    def decode() -> None:
        with quiet.without_prints():
            print("a decoder's warning")
            silent.set()
            done.wait(10)
        print("after")

    thread = threading.Thread(target=decode)
    thread.start()
    silent.wait(10)
    print("a result")
    with quiet.without_prints():
        print("another warning")
    print("one more")
    done.set()
    thread.join()
    assert capsys.readouterr().out == "a result\none more\nafter\n"
    assert not isinstance(sys.stdout, quiet._Filter)


def test_threads_that_are_named_are_dropped_and_no_other(
    capsys: pytest.CaptureFixture[str],
) -> None:
    begin = threading.Event()

    def chat() -> None:
        begin.wait(10)
        print("chatter")

    thread = threading.Thread(target=chat)
    thread.start()
    with quiet.without_prints([thread]):
        begin.set()
        thread.join()
        print("a result")
    with quiet.without_prints([]):
        print("another")
    assert capsys.readouterr().out == "a result\nanother\n"


PROGRAM = """
import os, sys, threading
from pathlib import Path
from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files import quiet
from intrinsic_cli.kit.files.photo import read_photo

quiet.separate_streams()
quiet.separate_streams()
broken = [Path(name).read_bytes() for name in sys.argv[1:]]

def decode():
    for data in broken * 20:
        try:
            read_photo(data)
        except DataError:
            pass

threads = [threading.Thread(target=decode) for _ in range(3)]
for thread in threads:
    thread.start()
for number in range(200):
    print("result", number)
    print("progress", number, file=sys.stderr, flush=True)
for thread in threads:
    thread.join()
for line in quiet.take_noise():
    print("noise:", line)
assert not quiet.take_noise()
with quiet.without_complaints():
    os.write(1, b"a service complains\\n")
    os.write(2, b"and does not stop\\n")
    print("warning", file=sys.stderr, flush=True)
os.write(1, b"a library writes to 1\\n")
os.write(2, b"and to 2\\n")
"""


def test_in_a_program_of_its_own_all_noise_is_caught(tmp_path: Path) -> None:
    (tmp_path / "b.exr").write_bytes(broken_exr(tmp_path))
    (tmp_path / "b.tif").write_bytes(broken_tiff())
    files = [str(tmp_path / name) for name in ("b.exr", "b.tif")]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *files], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    results = [line for line in lines if not line.startswith("noise:")]
    assert results == [f"result {number}" for number in range(200)]
    told = "\n".join(line for line in lines if line.startswith("noise:"))
    assert "EXR_ERR" in told
    assert "LZWDecode" in told or "code not yet in table" in told
    progress = [f"progress {number}" for number in range(200)]
    last = ["warning", "a library writes to 1", "and to 2"]
    assert done.stderr.splitlines() == [*progress, *last]


def test_streams_that_are_not_the_process_s_own_stay() -> None:
    """pytest has replaced them."""
    before = sys.stdout, sys.stderr
    quiet.separate_streams()
    assert (sys.stdout, sys.stderr) == before
    with quiet.decoding(), quiet.without_complaints():
        pass
    assert quiet.take_noise() == []


def test_the_same_complaint_about_many_files_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quiet, "_NOISE", quiet._Noise())
    quiet._NOISE.separate = True
    for name in ("/tmp/a1.tif", "/tmp/b2.tif", "/tmp/c3.exr"):
        with quiet.decoding():
            os.write(2, f"{name}: bad code\n".encode())
    with quiet.decoding():
        os.write(2, b"another\n")
    assert quiet.noise_note() == (
        "a decoder complained of what it read: bad code (and 1 more like it)"
    )


def test_stdout_is_pure_json(tmp_path: Path) -> None:
    """The command itself, on a folder with broken files among good ones."""
    (tmp_path / "broken.exr").write_bytes(broken_exr(tmp_path))
    (tmp_path / "a.exr").unlink()
    (tmp_path / "broken.tif").write_bytes(broken_tiff())
    Image.fromarray((NOISE * 255).astype(np.uint8)).save(tmp_path / "good.png")
    words = ["decompose", str(tmp_path), "-m", "retinex", "-o", str(tmp_path / "out"), "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "intrinsic_cli", *words], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 3, done.stderr
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted(report["status"] for report in reports) == ["done", "failed", "failed"]
    assert done.stderr.count("a decoder complained of what it read") == 1
    assert done.stderr.count("EXR_ERR") + done.stderr.count("code not yet in table") <= 1
