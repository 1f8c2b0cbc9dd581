"""Rendered views: what is composed obeys the image model, repeats by seed and resumes by number."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.data.synth.camera import Camera
from intrinsic_cli.kit.data.synth.scenes import MINIATURE, Synth, open_synth
from intrinsic_cli.kit.data.synth.shards import Shards
from intrinsic_cli.kit.files import memory


@pytest.fixture(scope="module")
def synth() -> Synth:
    return open_synth()


def test_the_miniature_has_both_splits_and_every_category(synth: Synth) -> None:
    for split in ("train", "val"):
        categories = {case.facts["category"] for case in synth.cases(split)}
        assert categories == {"room", "object", "face", "outdoor", "bird"}


def test_photo_is_albedo_times_shading(synth: Synth) -> None:
    """In the mask, up to what the camera adds (noise, 8 bits, tone curve) and highlights."""
    close = []
    for case in synth.cases("val"):
        product = case.truth["albedo"] * case.truth["shading"]
        error = np.abs(product - case.photo)[case.mask]
        close.append(np.median(error))
    assert np.median(close) < 0.01


def test_batches_repeat_and_resume_by_number(synth: Synth) -> None:
    first = list(islice(synth.batches("train", 2, 48, seed=5), 4))
    again = list(islice(synth.batches("train", 2, 48, seed=5, start=2), 2))
    other = next(iter(synth.batches("train", 2, 48, seed=6)))
    for batch, repeat in zip(first[2:], again, strict=True):
        assert all(torch.equal(batch[name], repeat[name]) for name in batch)
    assert not torch.equal(first[0]["photo"], other["photo"])


def test_two_lights_fall_on_one_paint(synth: Synth) -> None:
    """In pairs of rows: albedo is the same but for highlights, light and camera are not."""
    twice = synth.under_two_lights()
    same = []
    for batch in islice(twice.batches("train", 6, 48, seed=3), 4):
        assert torch.equal(batch["normals"][::2], batch["normals"][1::2])
        assert not torch.equal(batch["photo"][::2], batch["photo"][1::2])
        assert not torch.equal(batch["shading"][::2], batch["shading"][1::2])
        known = (batch["mask"][::2] * batch["mask"][1::2]).expand(-1, 3, -1, -1) > 0
        ratio = batch["albedo"][::2] / batch["albedo"][1::2].clamp_min(1e-6)
        same.append((ratio[known].log().abs() < 0.05).float().mean())
    assert torch.stack(same).mean() > 0.9


def test_the_first_of_two_lights_is_the_usual_one_and_an_odd_batch_ends_with_it(
    synth: Synth,
) -> None:
    usual = next(iter(synth.batches("train", 3, 48, seed=5)))
    twice = next(iter(synth.under_two_lights().batches("train", 5, 48, seed=5)))
    assert len(twice["photo"]) == 5
    assert all(torch.equal(usual[name], twice[name][::2]) for name in usual)


def test_two_lights_repeat_and_resume_by_number_in_a_part_too(synth: Synth) -> None:
    part = synth.part(1, 2).under_two_lights()
    first = list(islice(part.batches("train", 4, 48, seed=5), 3))
    other = synth.under_two_lights().part(1, 2)
    again = next(iter(other.batches("train", 4, 48, seed=5, start=2)))
    assert all(torch.equal(first[2][name], again[name]) for name in again)


def test_two_lights_leave_validation_as_it_is(synth: Synth) -> None:
    usual = next(iter(synth.batches("val", 3, 48)))
    twice = next(iter(synth.under_two_lights().batches("val", 3, 48)))
    assert all(torch.equal(usual[name], twice[name]) for name in usual)


def test_batches_have_the_promised_shapes(synth: Synth) -> None:
    batch = next(iter(synth.batches("train", 3, 40)))
    assert set(batch) == synth.offers
    assert batch["photo"].shape == batch["albedo"].shape == batch["shading"].shape == (3, 3, 40, 40)
    assert batch["mask"].shape == (3, 1, 40, 40)
    assert batch["photo"].min() >= 0
    assert batch["photo"].max() <= 1
    norms = batch["normals"].norm(dim=1)
    assert norms.median() == pytest.approx(1, abs=1e-3)


def test_validation_is_always_the_same(synth: Synth) -> None:
    runs = [list(synth.batches("val", 4, 64, seed=seed)) for seed in (0, 1)]
    assert [len(batch["photo"]) for batch in runs[0]] == [4, 4, 2]
    assert all(torch.equal(a["photo"], b["photo"]) for a, b in zip(*runs, strict=True))


def test_a_folder_without_shards_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no train/ or val/"):
        open_synth(tmp_path)
    (tmp_path / "train").mkdir()
    with pytest.raises(DataError, match=r"no \*.tar shards"):
        next(iter(open_synth(tmp_path).batches("train", 1, 32)))


def test_a_plain_camera_only_quantises() -> None:
    light = np.random.default_rng(0).random((8, 8, 3), np.float32)
    photo = Camera(np.ones(3, np.float32))(light, np.random.default_rng(0))
    assert np.abs(photo - light).max() < 0.006
    bright = Camera(np.full(3, 4, np.float32))(light, np.random.default_rng(0))
    assert bright.max() == pytest.approx(1)


def test_decoded_scenes_leave_room_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of the memory, divided among those who keep some, is what one may keep."""
    size = Shards(MINIATURE / "val")[0].bytes
    monkeypatch.setattr(memory, "memory", lambda: 8 * size)
    monkeypatch.setattr(memory, "_SHARED", {"processes": 1})
    for processes, kept in ((1, 2), (2, 1), (3, 0)):
        memory.share_memory(processes)
        shards = Shards(MINIATURE / "val")
        assert [shards[n] is shards[n] for n in range(3)] == [n < kept for n in range(3)]


def test_decoded_scenes_stay_in_memory_while_there_is_room() -> None:
    folder = MINIATURE / "val"
    roomy = Shards(folder)
    assert roomy[0] is roomy[0]
    tight = Shards(folder, keep=roomy[0].bytes)
    first, second = tight[0], tight[1]
    assert tight[0] is first
    assert tight[1] is not second
    assert (tight[1].ids == second.ids).all()
