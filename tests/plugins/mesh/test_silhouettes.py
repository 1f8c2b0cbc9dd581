"""Silhouettes: from alpha, from a network, before one colour, guessed; and the objects in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from iid_mesh import segmentation
from iid_mesh.objects import box_of, objects
from iid_mesh.segmentation import SegmentationModel
from iid_mesh.silhouettes import GUESSED, NOT_FOUND, find_silhouette, flat_background
from intrinsic_cli.api import DataError, WeightsError

from .objects_drawn import body, photo

SIDE = 64
INSIDE = body(SIDE)


def overlap(mask: Any, truth: Any = INSIDE) -> float:
    found = mask > 0.5
    return float((found & truth).sum() / (found | truth).sum())


def noisy(given: Any) -> Any:
    """With a background of many colours."""
    noise = np.random.default_rng(0).uniform(0.2, 0.3, (*given.shape[:2], 3))
    shown = np.where(INSIDE[..., None], given[..., :3], noise)
    return np.dstack([shown, np.ones(shown.shape[:2])]).astype(np.float32)


def test_alpha_comes_first() -> None:
    def never(colours: Any) -> Any:
        raise AssertionError("the network was asked")

    given = photo(SIDE)
    given[..., 3] *= 0.9
    found = find_silhouette(given, never)
    assert found.source == "alpha"
    assert np.array_equal(found.mask, given[..., 3])
    assert found.notes == ()


def test_a_network_comes_before_guesses() -> None:
    found = find_silhouette(photo(SIDE, background=True), lambda colours: INSIDE * 0.8)
    assert (found.source, found.notes) == ("model", ())
    assert overlap(found.mask) == 1


def test_before_one_colour_nothing_is_guessed() -> None:
    given = photo(SIDE, background=True)
    given[30:34, 30:34, :3] = given[0, 0, :3]  # a hole is none: it does not reach the border
    found = find_silhouette(given)
    assert (found.source, found.notes) == ("background", ())
    assert overlap(found.mask) == 1
    assert flat_background(noisy(given)[..., :3]) is None


def test_a_guess_is_told_and_the_same_every_time() -> None:
    given = noisy(photo(SIDE))
    found = find_silhouette(given)
    assert (found.source, found.notes) == ("grabcut", (GUESSED,))
    assert overlap(found.mask) > 0.8
    np.random.default_rng(1).random(9)
    assert np.array_equal(find_silhouette(given).mask, found.mask)


def test_where_nothing_is_found_an_ellipse_is_taken_and_told() -> None:
    found = find_silhouette(photo(SIDE, background=True), lambda colours: np.zeros((SIDE, SIDE)))
    assert (found.source, found.notes) == ("ellipse", (NOT_FOUND,))
    assert 0.3 < found.mask.mean() < 0.6


def test_objects_come_apart_the_largest_first() -> None:
    mask = np.zeros((40, 60), np.float32)
    mask[5:15, 5:15] = 1
    mask[20:35, 20:50] = 1
    mask[20, 19:51] = 0.3  # a soft edge
    mask[38, 58] = 1  # dust
    found = objects(mask, 4)
    assert [int((one > 0.5).sum()) for one in found] == [14 * 30, 100]
    assert found[0][20, 30] == np.float32(0.3)
    assert found[0][:16].sum() == 0
    assert len(objects(mask, 1)) == 1


def test_the_square_around_an_object() -> None:
    mask = np.zeros((40, 60), np.float32)
    mask[10:20, 30:50] = 1
    left, top, width, height = box_of(mask, 0.1)
    assert width == height == 25
    assert abs(left + width / 2 - 40) <= 0.5
    assert abs(top + height / 2 - 15) <= 0.5


def varint(number: int) -> bytes:
    low, rest = number & 127, number >> 7
    return bytes([low | 128]) + varint(rest) if rest else bytes([low])


def field(number: int, value: int | str | bytes) -> bytes:
    """An entry of a protocol buffer."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def value_info(name: str, channels: int, side: int) -> bytes:
    sizes = (1, channels, side, side)
    shape = b"".join(field(1, field(1, size)) for size in sizes)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, shape)))


def node(kind: str, source: str, target: str, attributes: bytes = b"") -> bytes:
    return field(1, source) + field(2, target) + field(3, target) + field(4, kind) + attributes


def bright_network(path: Path, side: int = 64) -> Path:
    """An ONNX file of a network that takes bright for object: the sigmoid of the mean colour."""
    axes = field(5, field(1, "axes") + field(8, 1) + field(20, 7))
    keep = field(5, field(1, "keepdims") + field(3, 1) + field(20, 2))
    nodes = [node("ReduceMean", "photo", "mean", axes + keep), node("Sigmoid", "mean", "mask")]
    graph = b"".join(field(1, one) for one in nodes) + field(2, "bright")
    graph += field(11, value_info("photo", 3, side)) + field(12, value_info("mask", 1, side))
    path.write_bytes(field(1, 7) + field(7, graph) + field(8, field(1, "") + field(2, 13)))
    return path


def test_a_network_in_a_file_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segmentation, "SIDES", (64,))
    colours = np.full((30, 50, 3), 0.2, np.float32)
    colours[5:20, 10:30] = 0.9
    mask = SegmentationModel(bright_network(tmp_path / "bright.onnx"))(colours)
    assert mask.shape == (30, 50)
    assert mask[12, 20] == pytest.approx(1 / (1 + np.exp(-(0.9 * 255 - 128) / 256)), abs=0.01)
    assert mask[25, 40] == pytest.approx(1 / (1 + np.exp(-(0.2 * 255 - 128) / 256)), abs=0.01)


def test_files_that_are_no_networks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no segmentation network at"):
        SegmentationModel(tmp_path / "none.onnx")
    (tmp_path / "bad.onnx").write_bytes(b"no network")
    with pytest.raises(DataError, match="cannot be run as a segmentation network"):
        SegmentationModel(tmp_path / "bad.onnx")


def test_onnxruntime_is_used_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two outputs, of which the first counts; logits; the side is that of the file."""

    class Entry:
        def __init__(self, name: str, *shape: int) -> None:
            self.name, self.shape = name, shape

    class Runtime:
        def InferenceSession(self, path: str, providers: Any) -> Any:  # noqa: N802
            return self

        def get_inputs(self) -> list[Entry]:
            return [Entry("photo", 1, 3, 16, 16)]

        def get_outputs(self) -> list[Entry]:
            return [Entry("first", 1, 1, 16, 16), Entry("second", 1, 1, 8, 8)]

        def run(self, names: list[str], given: dict[str, Any]) -> list[Any]:
            assert names == ["first"]
            assert given["photo"].shape == (1, 3, 16, 16)
            return [100 * given["photo"][:, :1]]

    monkeypatch.setattr(segmentation, "find_spec", lambda name: name)
    monkeypatch.setattr(segmentation.importlib, "import_module", lambda name: Runtime())
    (tmp_path / "net.onnx").write_bytes(b"")
    mask = SegmentationModel(tmp_path / "net.onnx")(np.ones((20, 10, 3), np.float32))
    assert mask.shape == (20, 10)
    assert mask.min() > 0.99
