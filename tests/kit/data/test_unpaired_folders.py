"""Folders that do not belong together: what is drawn, what is held back, what is masked, what
is missing."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from intrinsic_cli.api import DataError, Silent
from intrinsic_cli.api.data import Split
from intrinsic_cli.kit.data.splits import hash_share
from intrinsic_cli.kit.data.unpaired.files import NAMES
from intrinsic_cli.kit.data.unpaired.folders import UnpairedFolders, open_unpaired
from intrinsic_cli.kit.data.unpaired.parts import unpaired
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.light.colour import srgb_to_linear
from intrinsic_cli.registry import load_registry, open_dataset

COUNTS = {"photo": 30, "albedo": 20, "shading": 12}


def write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image[..., [2, 1, 0, 3][: image.shape[2]]])


def flat(value: int, height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """File ``k`` of folder ``c`` is gray of code 60 c + 40 + k everywhere; sizes differ."""
    for c, (name, count) in enumerate(COUNTS.items()):
        for k in range(count):
            folder = tmp_path / name / ("deeper" if k % 2 else ".")
            write(folder / f"{name[0]}{k}.png", flat(60 * c + 40 + k, 20 + k, 50 - k))
    (tmp_path / "photo" / "licence.txt").write_text("no picture")
    (tmp_path / "photo" / ".hidden.png").write_bytes(b"")
    return tmp_path


def counts(source: UnpairedFolders) -> dict[str, dict[str, int]]:
    """How many files there are of each layer in each split."""
    splits: tuple[Split, ...] = ("train", "val")
    return {name: {split: source.counts(split)[name] for split in splits} for name in NAMES}


def drawn(source: UnpairedFolders, count: int, **more: int) -> dict[str, list[int]]:
    """The numbers of the first files of each folder, one per batch."""
    told: dict[str, list[int]] = {name: [] for name in NAMES}
    for batch in islice(source.batches("train", 1, 8, **more), count):
        for c, name in enumerate(NAMES):
            codes = [
                srgb_to_linear(np.array((60 * c + 40 + k) / 255, np.float32)) for k in range(60)
            ]
            told[name].append(int(np.abs(np.array(codes) - batch[name].mean().item()).argmin()))
    return told


def test_batches_are_as_unpaired_documents(place: Path) -> None:
    batch = next(unpaired(open_unpaired(place), NAMES, "train", 3, 16))
    assert batch.keys() == {*NAMES, *(f"{name}_mask" for name in NAMES)}
    for name in NAMES:
        assert (batch[name].shape, batch[f"{name}_mask"].shape) == ((3, 3, 16, 16), (3, 1, 16, 16))
        assert batch[name].dtype == batch[f"{name}_mask"].dtype == torch.float32
        assert batch[f"{name}_mask"].all()


def test_every_folder_is_drawn_whole_and_in_an_order_of_its_own(place: Path) -> None:
    source = open_unpaired(place)
    learned = {name: source.counts("train")[name] for name in NAMES}
    told = drawn(source, 2 * max(learned.values()))
    for name, count in learned.items():
        assert len(set(told[name][:count])) == count
        assert told[name][:count] != told[name][count : 2 * count]
    equal = sum(a == b for a, b in zip(told["photo"], told["albedo"], strict=True))
    assert equal < len(told["photo"]) / 4


def test_the_order_of_a_folder_depends_on_no_other(place: Path) -> None:
    before = drawn(open_unpaired(place), 10, seed=3)
    for path in [*place.glob("albedo/a*.png")][3:]:
        path.unlink()
    after = drawn(open_unpaired(place), 10, seed=3)
    assert (before["photo"], before["shading"]) == (after["photo"], after["shading"])
    assert before["albedo"] != after["albedo"]
    assert drawn(open_unpaired(place), 10, seed=4)["photo"] != before["photo"]


def test_a_resumed_run_sees_what_an_uninterrupted_one_would(place: Path) -> None:
    whole = list(islice(open_unpaired(place).batches("train", 2, 16, seed=5), 6))
    resumed = list(islice(open_unpaired(place).batches("train", 2, 16, seed=5, start=4), 2))
    for batch, again in zip(whole[4:], resumed, strict=True):
        assert all(torch.equal(batch[name], again[name]) for name in batch)


def test_a_tenth_is_held_back_and_new_files_move_none(place: Path) -> None:
    source = open_unpaired(place)
    found = counts(source)
    assert {name: sum(splits.values()) for name, splits in found.items()} == COUNTS
    held = [k for k in range(30) if hash_share(f"deeper/p{k}.png" if k % 2 else f"p{k}.png") < 0.1]
    assert found["photo"]["val"] == max(1, len(held))
    assert not set(drawn(source, 60)["photo"]) & set(held)
    first, again = (list(source.batches("val", 2, 8, seed=seed)) for seed in (0, 1))
    assert sum(len(batch["photo"]) for batch in first) == min(
        splits["val"] for splits in found.values()
    )
    assert {len({len(x) for x in batch.values()}) for batch in first} == {1}
    assert all(torch.equal(a["photo"], b["photo"]) for a, b in zip(first, again, strict=True))


def test_lone_files_serve_both_splits(tmp_path: Path) -> None:
    for name in NAMES:
        write(tmp_path / name / "one.png", flat(90, 8, 8))
    source = open_unpaired(tmp_path)
    assert counts(source) == {name: {"train": 1, "val": 1} for name in NAMES}
    for split in ("train", "val"):
        assert next(source.batches(split, 1, 8))["albedo"].shape == (1, 3, 8, 8)


def test_what_is_transparent_black_clipped_or_masked_is_left_out(tmp_path: Path) -> None:
    codes = np.full((8, 8, 4), 200, np.uint8)
    codes[..., 3] = 255
    codes[:2] = 255
    codes[2:4, :, 3] = 100
    codes[4:6, :, :3] = 0
    for name in NAMES:
        write(tmp_path / name / "one.png", codes)
    mask = flat(255, 8, 8)
    mask[7] = 0
    write(tmp_path / "mask" / "shading" / "one.png", mask)
    batch = next(open_unpaired(tmp_path).batches("val", 1, 8))
    rows = {name: batch[f"{name}_mask"][0, 0, :, 0].int().tolist() for name in NAMES}
    assert rows["photo"] == [0, 0, 0, 0, 0, 0, 1, 1]
    assert rows["albedo"] == [1, 1, 0, 0, 0, 0, 1, 1]
    assert rows["shading"] == [1, 1, 0, 0, 0, 0, 1, 0]
    write(tmp_path / "mask" / "shading" / "one.png", mask[:4])
    with pytest.raises(DataError, match=r"one\.png has 8×4 pixels, but .* has 8×8"):
        next(open_unpaired(tmp_path).batches("val", 1, 8))
    with pytest.raises(DataError, match=r"one\.png has 8×4 pixels, but .* has 8×8"):
        open_unpaired(tmp_path).check_files(Silent())


def test_float_files_are_linear(place: Path) -> None:
    for path in place.glob("shading/**/*.png"):
        path.unlink()
    cv2.imwrite(str(place / "shading" / "bright.tiff"), np.full((8, 8), 3.5, np.float32))
    assert next(open_unpaired(place).batches("train", 1, 8))["shading"].eq(3.5).all()


def test_three_folders_may_be_named_and_a_comma_may_be_in_a_name(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = load_registry()
    monkeypatch.chdir(place)
    whole = open_dataset("unpaired:.", registry)
    apart = open_dataset(f"unpaired:./photo/, {place}/albedo,shading", registry)
    assert isinstance(whole, UnpairedFolders)
    assert isinstance(apart, UnpairedFolders)
    assert counts(apart) == counts(whole)
    monkeypatch.chdir(place.parent)
    place.rename(place.parent / "a,b")
    assert open_dataset("unpaired:a,b", registry).offers == whole.offers
    (place.parent / "a,b").rename(place)


def test_mistakes_are_named(place: Path) -> None:
    for wrong, told in [
        ("{0}/photo,{0}/albedo", "2 folders instead of three"),
        ("{0}/photo,{0}/albedo,{0}/light", "nothing at .*/light: no such file"),
        ("{0}/nowhere", "nothing at .*/nowhere: no such file"),
        ("{0}/albedo", "no folder .*photo for photo"),
    ]:
        with pytest.raises(DataError, match=told):
            open_dataset(f"unpaired:{wrong.format(place)}", load_registry())
    with pytest.raises(DataError, match="can only be trained on"):
        open_unpaired(place).cases()
    for path in place.glob("albedo/**/*.png"):
        path.unlink()
    with pytest.raises(DataError, match="albedo holds no picture for albedo") as caught:
        open_unpaired(place)
    assert "photo/, albedo/ and shading/" in caught.value.hint
