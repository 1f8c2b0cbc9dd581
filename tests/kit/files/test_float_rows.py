"""Rows of a photo of floats are those of the photo read whole, whatever its file is."""

from __future__ import annotations

import gc
import hashlib
import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from float_pictures import FILES, OTHERS, SIZE, exr, opencv, planes, tiff

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files import memory, pieces
from intrinsic_cli.kit.files.file_parts import Asked
from intrinsic_cli.kit.files.float_files import open_float_rows
from intrinsic_cli.kit.files.float_rows import FloatRows
from intrinsic_cli.kit.files.photo import Photo, read_photo
from intrinsic_cli.kit.light import resize
from intrinsic_cli.kit.light.beyond_white import exposure_of
from intrinsic_cli.kit.light.noise import noise_near_black


@pytest.fixture(autouse=True)
def narrow_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resize, "BAND_PIXELS", 150)


def file_of(name: str, folder: Path) -> Path:
    path = folder / name
    path.write_bytes((FILES | OTHERS)[name](folder))
    return path


def opened(path: Path, encoding: str = "auto", layer: str = "") -> FloatRows:
    found = open_float_rows(Asked(path, layer), encoding)
    assert found is not None
    return found[1]


def check(rows: FloatRows, whole: Photo) -> None:
    """Are all rows, and those asked for with gaps, those of the whole?"""
    height, width = whole.pixels.shape[:2]
    assert rows.size == (height, width)
    assert rows.has_alpha == (whole.alpha is not None)
    gain = np.float32(rows.exposure)
    parts = [slice(top, min(top + 5, height)) for top in range(0, height, 5)]
    for part in [*parts, slice(2, height, 7), slice(0, height)]:
        found = rows.rows(part)
        assert np.array_equal(found.pixels, whole.pixels[part])
        assert np.array_equal(rows.planes(part), whole.pixels[part].transpose(2, 0, 1) / gain)
        if whole.alpha is None:
            assert rows.alpha(part) is None
            assert found.alpha is None
        else:
            assert np.array_equal(rows.alpha(part), whole.alpha[part])
            assert np.array_equal(found.alpha, whole.alpha[part])


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kept", [0, 1 << 30])
@pytest.mark.parametrize("encoding", ["auto", "srgb"])
def test_rows_are_those_of_the_whole(
    name: str, kept: int, encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "MOST_KEPT", kept)
    path = file_of(name, tmp_path)
    check(opened(path, encoding), read_photo(path, encoding))


@pytest.mark.parametrize("name", FILES)
def test_facts_are_those_of_the_whole(name: str, tmp_path: Path) -> None:
    path = file_of(name, tmp_path)
    whole, rows = read_photo(path), opened(path)
    facts = rows.header
    assert facts.pixels.shape == whole.pixels.shape
    assert (facts.bits, facts.encoding, facts.clipped) == (whole.bits, whole.encoding, 0)
    assert (facts.profile, facts.notes) == (whole.profile, whole.notes)
    assert facts.repaired == whole.repaired
    assert facts.outside == pytest.approx(whole.outside, 1e-9)
    assert rows.exposure == exposure_of(whole.pixels)
    assert rows.is_hdr == (whole.pixels.max() > 1)
    noise = noise_near_black(lambda some: whole.pixels[some], rows.size, whole.bits, whole.encoding)
    assert rows.noise == noise / rows.exposure


@pytest.mark.parametrize("name", OTHERS)
def test_other_files_are_read_whole(name: str, tmp_path: Path) -> None:
    path = file_of(name, tmp_path)
    assert open_float_rows(Asked(path), "auto") is None


def test_so_are_smaller_pictures_and_what_is_no_file(tmp_path: Path) -> None:
    path = file_of("half.exr", tmp_path)
    height, width = SIZE
    assert open_float_rows(Asked(path, least=height * width, side=width), "auto")
    assert open_float_rows(Asked(path, least=height * width + 1), "auto") is None
    assert open_float_rows(Asked(path, side=width + 1), "auto") is None
    assert open_float_rows(Asked(tmp_path), "auto") is None
    assert open_float_rows(Asked(tmp_path / "none.exr"), "auto") is None
    (tmp_path / "empty.exr").touch()
    assert open_float_rows(Asked(tmp_path / "empty.exr"), "auto") is None


def test_a_layer_of_an_exr_is_found_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "a.exr"
    path.write_bytes(exr(planes("RGB") | planes("ABGR", layer="left."))(tmp_path))
    check(opened(path, layer="LEFT"), read_photo(path, layer="left"))
    assert open_float_rows(Asked(path, "right"), "auto") is None
    other = file_of("runs.hdr", tmp_path)
    assert open_float_rows(Asked(other, "left"), "auto") is None


def test_light_that_needs_no_repair_and_no_exposure(tmp_path: Path) -> None:
    path = tmp_path / "a.tiff"
    values = np.linspace(0, 1, 40 * 30 * 3, dtype=np.float32).reshape(40, 30, 3)
    path.write_bytes(tiff(values)(tmp_path))
    rows = opened(path)
    assert (rows.exposure, rows.is_hdr, rows.header.repaired) == (1.0, False, 0.0)
    check(rows, read_photo(path))


@pytest.mark.parametrize("name", sorted(FILES.keys() - {"half.tiff", "big.tiff"}))
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95, 0.999])
def test_truncated_files_are_told_as_when_read_whole(
    name: str, share: float, tmp_path: Path
) -> None:
    path = file_of(name, tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DataError) as whole:
        read_photo(path)
    found = None
    errors = [whole.value]
    try:
        found = open_float_rows(Asked(path), "auto")
    except DataError as error:
        errors.append(error)
    assert found is None
    assert {error.hint for error in errors} == {whole.value.hint}
    assert all(whole.value.message.endswith(error.message) for error in errors)


@pytest.mark.parametrize("name", ["float.exr", "plain.exr", "runs.hdr", "flat.hdr", "big.tiff"])
def test_files_broken_in_the_middle_are_told_before_anything_is_made(
    name: str, tmp_path: Path
) -> None:
    path = file_of(name, tmp_path)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(DataError, match="truncated"):
        open_float_rows(Asked(path), "auto")


@pytest.mark.parametrize("length", range(5))
def test_a_radiance_file_that_ends_where_its_pixels_begin(length: int, tmp_path: Path) -> None:
    data = file_of("runs.hdr", tmp_path).read_bytes()
    first = data.index(b"\x02\x02")
    path = tmp_path / "short.hdr"
    path.write_bytes(data[: first + length])
    with pytest.raises(DataError, match="truncated"):
        open_float_rows(Asked(path), "auto")


@pytest.mark.parametrize("name", ["half.exr", "deflate.tiff", "runs.hdr"])
def test_bytes_that_cannot_be_decoded_are_damage(name: str, tmp_path: Path) -> None:
    path = file_of(name, tmp_path)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 300] = bytes(300)
    path.write_bytes(data)
    with pytest.raises(DataError, match="truncated"):
        open_float_rows(Asked(path), "auto")


def test_a_file_that_changes_meanwhile_is_told(tmp_path: Path) -> None:
    path = file_of("plain.exr", tmp_path)
    rows = opened(path)
    rows.rows(slice(0, SIZE[0]))
    with path.open("r+b") as file:
        file.seek(2000)
        file.write(b"other")
    os.utime(path, ns=(1, 1))
    with pytest.raises(DataError, match="was changed while it was read"):
        rows.rows(slice(0, SIZE[0]))


def test_the_hash_is_that_of_the_file(tmp_path: Path) -> None:
    path = file_of("half.exr", tmp_path)
    found = open_float_rows(Asked(path), "auto")
    assert found is not None
    assert found[0].sha256() == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_file_is_closed_with_its_rows(tmp_path: Path) -> None:
    path = file_of("half.exr", tmp_path)
    folder = Path("/proc/self/fd")
    if not folder.exists():
        pytest.skip("it is not told here which files are open")
    gc.disable()
    try:
        rows = opened(path)
        open_ones = [one.resolve() for one in folder.iterdir()]
        assert path in open_ones
        del rows
        open_ones = [one.resolve() for one in folder.iterdir()]
        assert path not in open_ones
    finally:
        gc.enable()


def test_too_large_a_picture_is_told_by_what_rows_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file_of("half.exr", tmp_path)
    pixels = SIZE[0] * SIZE[1]
    monkeypatch.setattr(memory, "memory", lambda: pixels * memory.BYTES_IN_STRIPS)
    assert open_float_rows(Asked(path), "auto")
    monkeypatch.setattr(memory, "memory", lambda: pixels * memory.BYTES_IN_STRIPS - 1)
    with pytest.raises(DataError, match="more than fit into memory"):
        open_float_rows(Asked(path), "auto")


@pytest.mark.parametrize("form", ["exr", "tiff", "hdr"])
def test_memory_does_not_grow_with_the_picture(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resize, "BAND_PIXELS", 1 << 14)
    monkeypatch.setattr(pieces, "MOST_KEPT", 0)
    picture = np.full((6000, 1000, 3), 0.5, np.float32)
    write = {
        "exr": exr(dict.fromkeys("RGB", picture[..., 0])),
        "tiff": tiff(picture, compression="deflate", rowsperstrip=16),
        "hdr": opencv(".hdr", picture),
    }
    path = tmp_path / f"a.{form}"
    path.write_bytes(write[form](tmp_path))
    tracemalloc.start()
    try:
        rows = opened(path)
        for top in range(0, 6000, 100):
            rows.planes(slice(top, top + 100))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < picture.nbytes / 5
