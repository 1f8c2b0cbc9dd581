"""Photos behind glass: the layers add up, nothing is mixed with itself, everything repeats by
seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from intrinsic_cli.api import Case, DataError, Source
from intrinsic_cli.kit.data.reflection.mix import clipped, mix
from intrinsic_cli.kit.data.reflection.mixtures import (
    Mixtures,
    open_reflection,
    open_reflection3,
)
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.testing_source import Tiny

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.kit.data.rows import Sample

LAYERS = ("transmission", "reflection", "flare")


@dataclass
class Numbered(Source):
    """Photos that are even planes of the number of their scene, in hundredths; the parts take every
    n-th."""

    first: int = 0
    step: int = 1
    name: str = "numbered"
    protocol: str = "numbered"
    offers: frozenset[str] = frozenset({"photo"})

    def part(self, index: int, count: int) -> Numbered:
        return Numbered(self.first + self.step * index, self.step * count)

    def batches(
        self, split: str, size: int, crop: int, seed: int = 0, start: int = 0
    ) -> Iterator[Any]:
        for number in range(start, 10_000 if split == "train" else 2):
            scenes = [1 + (self.first + self.step * (number * size + i)) % 90 for i in range(size)]
            yield {
                "photo": torch.tensor(scenes)
                .float()
                .div(100)
                .view(-1, 1, 1, 1)
                .expand(-1, 3, crop, crop)
            }

    def cases(self, split: str = "val") -> Sequence[Case]:
        raise NotImplementedError


def total(batch: Any) -> torch.Tensor:
    return sum((batch[name] for name in LAYERS if name in batch), torch.zeros(()))


@pytest.mark.parametrize("layers", [2, 3])
@pytest.mark.parametrize("split", ["train", "val"])
def test_layers_add_up_to_the_photo(layers: int, split: Any) -> None:
    source = Mixtures(open_reflection()._source, layers)
    for batch in islice(source.batches(split, 6, 32), 3):
        assert set(batch) == source.offers == {"photo", "mask", *LAYERS[:layers]}
        assert all(
            batch[name].shape == (len(batch["photo"]), 3, 32, 32)
            for name in ("photo", *LAYERS[:layers])
        )
        assert all(
            x.dtype == torch.float32 and x.min() >= 0 and x.max() <= 1 for x in batch.values()
        )
        error = (total(batch) - batch["photo"]).abs().amax((1, 2, 3))
        assert float(error.max()) < 0.006, "half a code of 8 bits, where sRGB is flattest"
        assert batch["mask"].shape == (len(batch["photo"]), 1, 32, 32)


def test_some_photos_are_stored_in_8_bits_and_some_are_exact() -> None:
    errors = torch.cat(
        [
            (total(b) - b["photo"]).abs().amax((1, 2, 3))
            for b in open_reflection().batches("val", 8, 32)
        ]
    )
    assert {bool(error > 1e-5) for error in errors} == {False, True}


def test_batches_repeat_and_resume_by_number() -> None:
    source = open_reflection3()
    third = list(islice(source.batches("train", 2, 24, seed=5), 3))[2]
    again = next(source.batches("train", 2, 24, seed=5, start=2))
    other = next(source.batches("train", 2, 24, seed=6, start=2))
    assert all(torch.equal(third[name], again[name]) for name in third)
    assert not torch.equal(third["photo"], other["photo"])


def test_validation_is_always_the_same() -> None:
    runs = [list(open_reflection3().batches("val", 4, 24, seed=seed)) for seed in (0, 1)]
    assert [len(batch["photo"]) for batch in runs[0]] == [4, 4, 2]
    for one, other in zip(*runs, strict=True):
        assert all(torch.equal(one[name], other[name]) for name in one)


def test_some_photos_that_are_trained_on_have_no_glass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before darkness a pane mirrors nothing; what is scored always has glass."""
    mirrored = []

    def noted(behind: Image, scene: Image, *more: Any) -> Sample:
        mirrored.append(bool(scene.any()))
        return mix(behind, scene, *more)

    monkeypatch.setattr("intrinsic_cli.kit.data.reflection.mixtures.mix", noted)
    list(islice(Mixtures(Numbered()).batches("train", 20, 16), 10))
    assert 5 <= mirrored.count(False) <= 40
    mirrored.clear()
    list(open_reflection().batches("val", 8, 32))
    assert all(mirrored)


def test_a_scene_before_darkness_is_the_photo() -> None:
    scene = np.full((16, 16, 3), 0.5, np.float32)
    made = mix(scene, np.zeros_like(scene), np.random.default_rng(0))
    assert not made["reflection"].any()
    assert np.allclose(made["photo"], made["transmission"], atol=0.006)


def test_a_photo_is_never_mixed_with_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = []
    monkeypatch.setattr(
        "intrinsic_cli.kit.data.reflection.mixtures.mix",
        lambda a, b, *more: pairs.append((a[0, 0], b[0, 0])),
    )
    monkeypatch.setattr("intrinsic_cli.kit.data.reflection.mixtures.collate", lambda samples: {})
    list(islice(Mixtures(Numbered()).batches("train", 8, 4), 5))
    scenes = [tuple(round(float(x[0]) * 100) for x in pair) for pair in pairs]
    assert len(scenes) == 40
    mirrored = [(a, b) for a, b in scenes if b]
    assert all(a % 2 != b % 2 for a, b in mirrored)
    assert {a % 2 for a, _ in scenes} == {0, 1}, "either may be behind the glass"


def test_parts_have_no_photo_in_common() -> None:
    whole, parts = open_reflection(), [open_reflection3().part(i, 2) for i in range(2)]
    names = [{name for case in part.cases() for name in case.name.split("+")} for part in parts]
    assert not names[0] & names[1]
    assert parts[0].offers >= whole.offers | {"flare"}
    assert len({name for case in whole.cases() for name in case.name.split("+")}) == 10


def test_cases_are_whole_and_fixed() -> None:
    one, other = (list(open_reflection3().cases("val")[:3]) for _ in range(2))
    assert [case.name for case in one] == [case.name for case in other]
    assert len(one) == 3
    for case, same in zip(one, other, strict=True):
        assert case.photo.shape == (256, 256, 3)
        assert list(case.truth) == list(LAYERS)
        assert case.mask.dtype == bool
        assert all(np.array_equal(case.truth[name], same.truth[name]) for name in LAYERS)


def test_what_is_clipped_behind_the_glass_is_masked() -> None:
    behind = np.full((20, 30, 3), 0.5, np.float32)
    behind[:5, :, 1] = 1.0
    sample = mix(behind, np.zeros((9, 9, 3), np.float32), np.random.default_rng(0))
    assert not sample["mask"][:5].any()
    assert sample["mask"][5:].all()


def test_too_bright_mixtures_are_dimmed_alike_or_clip() -> None:
    white, rng = np.ones((16, 16, 3), np.float32), np.random.default_rng(3)
    shares = []
    for _ in range(40):
        sample = mix(white, white, rng, LAYERS)
        assert float(sample["photo"].max()) <= 1
        assert np.allclose(sum(sample[name] for name in LAYERS), sample["photo"], atol=0.006)
        shares.append(float((sample["photo"] > 0.999).mean()))
    assert any(share > 0.2 for share in shares), "exposed for what is behind the glass"
    assert any(share < 0.1 for share in shares), "exposed for the brightest of all"


def test_what_clips_is_lost_by_what_is_in_front() -> None:
    behind, in_front = np.full((2, 2, 3), 0.7, np.float32), np.full((2, 2, 3), 0.5, np.float32)
    kept = clipped([behind, in_front])
    assert np.array_equal(kept[0], behind)
    assert np.allclose(kept[1], 0.3)
    assert np.allclose(sum(clipped([2 * behind, in_front])), 1)


def test_half_of_the_reflections_show_only_what_is_bright() -> None:
    scene = np.tile(np.linspace(0, 1, 64, dtype=np.float32)[:, None, None], (1, 64, 3))
    rng = np.random.default_rng(0)
    made = [mix(np.zeros_like(scene), scene, rng)["reflection"] for _ in range(60)]
    empty = [float((layer[:20].max(axis=(0, 1)) < 1e-6).mean()) for layer in made]
    assert 8 < sum(share == 1 for share in empty) < 45
    assert max(float(layer.max()) for layer in made) > 0.6


def test_any_size_is_mirrored_without_being_squeezed() -> None:
    wide = np.zeros((20, 200, 3), np.float32)
    wide[:, 90:110] = 1
    seen = []
    for seed in range(8):
        layer = mix(np.zeros((40, 40, 3), np.float32), wide, np.random.default_rng(seed))[
            "reflection"
        ]
        assert layer.shape == (40, 40, 3)
        seen.append(layer.mean(0)[:, 0])
    assert np.mean(seen, 0)[18:22].mean() > 0.1, "the middle is kept"


def test_folders_of_photos_or_shards(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    (tmp_path / "notes.txt").write_text("no photo")
    with pytest.raises(DataError, match="holds no photos"):
        open_reflection(tmp_path)
    for number in range(9):
        size = (30, 50) if number % 2 else (1100, 20)
        cv2.imwrite(
            str(tmp_path / f"{number}.png"), rng.integers(0, 256, (*size, 3), dtype=np.uint8)
        )
    source = open_reflection(tmp_path)
    names = [
        {n for case in source.cases(split) for n in case.name.split("+")}
        for split in ("train", "val")
    ]
    assert not names[0] & names[1]
    assert min(map(len, names)) >= 2
    assert all(max(case.photo.shape) <= 1024 for case in source.cases("train"))
    assert next(source.batches("train", 3, 16))["photo"].shape == (3, 3, 16, 16)
    (tmp_path / "photo").mkdir()
    (tmp_path / "5.png").rename(tmp_path / "photo" / "a.png")
    (tmp_path / "6.png").rename(tmp_path / "photo" / "b.png")
    assert {case.name for case in open_reflection(tmp_path).cases()} == {"a+b", "b+a"}


def test_few_photos_are_enough_for_four_parts_or_it_is_told(tmp_path: Path) -> None:
    for number in range(16):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((9, 9, 3), 9 * number, np.uint8))
    parts = [open_reflection(tmp_path).part(i, 4) for i in range(4)]
    names = [{n for case in part.cases() for n in case.name.split("+")} for part in parts]
    assert [len(part) for part in names] == [2, 2, 2, 2]
    assert len(set().union(*names)) == 8
    (tmp_path / "3.png").unlink()
    with pytest.raises(
        DataError,
        match="photos has 8 photos to train on and 7 to validate with, too few for 4 parts",
    ) as told:
        open_reflection(tmp_path).part(0, 4)
    assert "at least 16 in all" in told.value.hint


def test_what_has_no_photos_is_refused() -> None:
    with pytest.raises(DataError, match="numbered has no photos"):
        Mixtures(Numbered(offers=frozenset({"albedo"})))
    with pytest.raises(DataError, match="mixtures already"):
        Mixtures(open_reflection(), 3)
    assert Mixtures(Tiny()).offers >= {"transmission", "reflection"}
