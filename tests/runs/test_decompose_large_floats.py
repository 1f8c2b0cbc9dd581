"""Large photos of floats, read from their files row by row: strips make what the whole makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
import pytest
import tifffile
from decomposing import FLAT, facts, go
from same_pictures import content

from intrinsic_cli.kit.files import file_parts, memory
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.photo import read_photo
from intrinsic_cli.kit.files.read_layers import LayerFile, read_layer_file
from intrinsic_cli.runs.decompose import large

SIZE = (140, 182)
#: Of the files of each kind.
SUFFIXES = {"half": "exr", "float": "exr", "hdr": "hdr", "tiff": "tiff"}
LIGHT = cv2.resize(FLAT, SIZE[::-1]).astype(np.float32) / 255
LIGHT[..., :3] *= 7
LIGHT[3, 4, 1] = np.nan
LIGHT[120, 90, 0] = np.inf


def photo(folder: Path, kind: str, compression: str = "ZIP") -> Path:
    """A half or float EXR, Radiance, or float TIFF."""
    path = folder / f"a.{SUFFIXES[kind]}"
    if kind == "hdr":
        cv2.imwrite(str(path), np.nan_to_num(LIGHT[..., 2::-1], posinf=3))
    elif kind == "tiff":
        tifffile.imwrite(path, LIGHT, photometric="rgb", extrasamples=[2], rowsperstrip=8)
    else:
        dtype = np.float16 if kind == "half" else np.float32
        channels = {name: LIGHT[..., n].astype(dtype) for n, name in enumerate("RGBA")}
        compressed = getattr(OpenEXR, f"{compression}_COMPRESSION")
        header = {"compression": compressed, "type": OpenEXR.scanlineimage}
        with OpenEXR.File(header, channels) as file:
            file.write(str(path))
    return path


@pytest.fixture
def by_rows(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hashes of the files of which not all was read at once."""
    opened: list[str] = []
    real = file_parts.FileParts.sha256

    def sha256(self: file_parts.FileParts) -> str:
        opened.append(real(self))
        return opened[-1]

    monkeypatch.setattr(file_parts.FileParts, "sha256", sha256)
    return opened


@pytest.mark.parametrize("kind", SUFFIXES)
@pytest.mark.parametrize("form", ["png", "tiff", "exr32", "exr-multilayer"])
@pytest.mark.parametrize("own", ["cpu", "other"])
def test_rows_make_what_the_whole_makes(
    kind: str,
    form: str,
    own: str,
    tmp_path: Path,
    in_strips: list[Any],
    by_rows: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = photo(tmp_path, kind)
    if own == "other":
        monkeypatch.setattr("intrinsic_cli.kit.inference.paths.OWN", ())
    given = {"format": form, "preview": True}
    strips = go(path, out=tmp_path / "rows", **given).inputs[0]
    assert (strips.status, in_strips, len(by_rows)) == ("done", [path], 1)
    monkeypatch.setattr("intrinsic_cli.kit.files.float_files.open_float_rows", lambda *_: None)
    whole = go(path, out=tmp_path / "memory", **given).inputs[0]
    assert (whole.status, in_strips, len(by_rows)) == ("done", [path, path], 1)
    for layer, file in strips.layers.items():
        compare(layer, Path(file), Path(whole.layers[layer]))
    one, other = facts(tmp_path / "rows"), facts(tmp_path / "memory")
    for told in (one, other):
        told.pop("seconds")
        told.pop("source")
    assert one == other
    assert one["repaired"] > 0 or kind == "hdr"
    sheets = [content(Path(item.preview)) for item in (strips, whole)]
    assert sheets[0] == sheets[1]


def compare(layer: str, one: Path, other: Path) -> None:
    """The same numbers."""
    assert content(one) == content(other), layer


def test_what_all_of_it_makes_at_once_is_close(tmp_path: Path, in_strips: list[Any]) -> None:
    path = photo(tmp_path, "float")
    strips = go(path, out=tmp_path / "rows", format="exr32").inputs[0]
    large.LARGE = 10**9
    whole = go(path, out=tmp_path / "whole", format="exr32").inputs[0]
    assert in_strips == [path]
    for layer, file in strips.layers.items():
        found = [
            read_layer_file(layer, LayerFile(Path(item)), SIZE)[0]
            for item in (file, whole.layers[layer])
        ]
        most = max(1.0, float(found[1].max()))
        assert np.abs(found[0] - found[1]).max() < 0.01 * most


@pytest.mark.parametrize("kind", ["half", "hdr", "tiff"])
def test_a_truncated_photo_fails_as_a_small_one(
    kind: str, tmp_path: Path, in_strips: list[Any]
) -> None:
    path = photo(tmp_path, kind)
    path.write_bytes(path.read_bytes()[:-3000])
    errors = []
    for way, least in (("strips", 100), ("whole", 10**9)):
        large.LARGE = least
        item = go(path, out=tmp_path / way).inputs[0]
        errors.append((item.status, item.error))
        assert [file.name for file in (tmp_path / way).iterdir() if "json" not in file.name] == []
    assert errors[0] == errors[1]
    assert "truncated" in errors[0][1]
    assert in_strips == []


def test_a_photo_that_changes_while_it_is_written_leaves_no_layers(
    tmp_path: Path, in_strips: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = photo(tmp_path, "tiff")
    real = large.take_apart

    def take_apart(*given: Any) -> Any:
        made = real(*given)
        with path.open("r+b") as file:
            file.truncate(9000)
        return made

    monkeypatch.setattr("intrinsic_cli.runs.decompose.photos.take_apart", take_apart)
    item = go(path, out=tmp_path / "out").inputs[0]
    assert item.status == "failed"
    assert "was changed while it was read" in item.error
    assert not list((tmp_path / "out").glob("a.*"))


@pytest.mark.parametrize("kind", SUFFIXES)
def test_the_preview_of_a_finished_photo_is_made_of_rows(
    kind: str, tmp_path: Path, in_strips: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = photo(tmp_path, kind)
    at_once = go(path, out=tmp_path / "at once", format="exr32", preview=True).inputs[0]
    go(path, out=tmp_path / "out", format="exr32")
    monkeypatch.setattr("intrinsic_cli.runs.decompose.finished_preview.LARGE", 100)
    monkeypatch.setattr("intrinsic_cli.runs.decompose.finished_preview.load", None)
    monkeypatch.setattr("intrinsic_cli.kit.files.read_layers.open_layer_file", None)
    later = go(path, out=tmp_path / "out", format="exr32", preview=True).inputs[0]
    assert later.written == (str(tmp_path / "out/a.preview.png"),)
    sheets = [read_photo(Path(item.preview)).pixels for item in (at_once, later)]
    assert np.abs(sheets[0] - sheets[1]).max() < 0.01


def test_a_layer_that_somebody_has_changed_is_shown_in_the_preview(
    tmp_path: Path, in_strips: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = photo(tmp_path, "tiff")
    item = go(path, out=tmp_path / "out").inputs[0]
    cv2.imwrite(item.layers["albedo"], np.full((70, 91, 3), (0, 0, 255), np.uint8))
    monkeypatch.setattr("intrinsic_cli.runs.decompose.finished_preview.LARGE", 100)
    later = go(path, out=tmp_path / "out", preview=True).inputs[0]
    sheet = read_photo(Path(later.preview)).pixels
    red = (sheet[..., 0] > 0.9) & (sheet[..., 1:].max(axis=2) < 0.01)
    assert red.mean() > 0.2


def test_what_is_read_whole_and_done_in_strips_may_be_larger(
    tmp_path: Path, in_strips: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = photo(tmp_path, "float", "PIZ")
    least = SIZE[0] * SIZE[1] * memory.BYTES_BEFORE_STRIPS
    reports = []
    for free in (least, least - 1):
        monkeypatch.setattr(memory, "memory", lambda free=free: free)
        reports.append(go(path, out=tmp_path / str(free)).inputs[0])
    assert [report.status for report in reports] == ["done", "failed"]
    assert "more than fit into memory" in reports[1].error
    assert in_strips == [path]


def test_a_mask_takes_the_place_of_the_alpha(tmp_path: Path, in_strips: list[Any]) -> None:
    path = photo(tmp_path, "half")
    mask = tmp_path / "m.png"
    cv2.imwrite(str(mask), np.pad(np.full((100, 142), 255, np.uint8), 20))
    item = go(path, out=tmp_path / "out", mask=mask, format="exr32").inputs[0]
    assert in_strips == [path]
    alpha = read_photo(Path(item.layers["albedo"])).alpha
    assert alpha is not None
    assert alpha[0].max() == 0
    assert alpha[70, 90] == 1
