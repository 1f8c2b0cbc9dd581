"""One paint under two lights: what is compared, and when."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from iid_flow.light import to_log
from iid_flow.losses import agreement_loss
from iid_flow.pairs import Part, known_in_both, random_part, split, with_parts
from iid_flow.settings import FlowConfig
from iid_flow.train_flow import FlowTrainer
from iid_flow.white_point import white_point
from intrinsic_cli.api import DataError, Runtime
from intrinsic_cli.kit.data.synth.scenes import open_synth
from intrinsic_cli.testing_source import Tiny

CPU = Runtime(torch.device("cpu"))
TWICE = FlowConfig(batch_size=4, crop=32, pretrained="no", agree_weight=0.5)
EVERYWHERE = torch.ones(2, 1, 32, 32)


def values(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) + 0.2


def errors_of(albedos: Tensor, paint: Tensor, photos: Tensor) -> Tensor:
    """Of log shading, where photos of one paint were divided so that ``albedos`` came out."""
    level = white_point(photos)
    answer, truth = photos / albedos, photos / paint
    return to_log(answer, level) - to_log(truth, level)


def loss(albedos: Tensor, mask: Tensor = EVERYWHERE, colour: float = 0.0) -> float:
    """Of two answers for one paint under two lights."""
    paint, light = values(1, 3, 32, 32), values(2, 3, 32, 32, seed=1)
    errors = errors_of(albedos, paint, paint * light)
    both = known_in_both(mask, None)
    return float(agreement_loss(*split(errors), both, 3.0, 1.0, colour).mean())


def test_equal_albedos_agree_however_wrong_up_to_a_scale() -> None:
    wrong = values(1, 3, 32, 32, seed=5)
    scales = torch.tensor([1.0, 2.0]).view(2, 1, 1, 1)
    assert loss(wrong * scales) == pytest.approx(0, abs=1e-4)
    tinted = wrong * torch.tensor([[1.0, 1, 1], [1.3, 1, 0.8]]).view(2, 3, 1, 1)
    assert loss(tinted) == pytest.approx(0, abs=1e-4)
    assert loss(tinted, colour=1.0) > 0.1
    assert loss(wrong * scales, colour=1.0) == pytest.approx(0, abs=1e-4)


def test_a_shadow_in_one_of_the_albedos_is_a_difference_unless_it_is_masked() -> None:
    albedos = values(1, 3, 32, 32, seed=5).repeat(2, 1, 1, 1)
    albedos[1, :, :, :16] *= 0.5
    assert loss(albedos) > 0.1
    mask = EVERYWHERE.clone()
    mask[0, ..., :16] = 0
    assert loss(albedos, mask) == pytest.approx(0, abs=1e-4)


def test_a_row_without_a_second_light_is_compared_with_nothing() -> None:
    first, second = split(values(5, 3, 32, 32))
    assert len(first) == len(second) == 2
    assert len(known_in_both(torch.ones(5, 1, 32, 32), None)) == 2


def test_training_is_shown_pairs_where_they_are_compared_and_else_none() -> None:
    pairs = FlowTrainer(TWICE, open_synth(), CPU)
    batch = next(iter(pairs.batches("train")))
    assert len(batch["photo"]) == 4
    assert not torch.equal(batch["shading"][0], batch["shading"][1])
    assert torch.equal(batch["normals"][0], batch["normals"][1])
    usual = FlowTrainer(replace(TWICE, agree_weight=0.0), open_synth(), CPU)
    batch = next(iter(usual.batches("train")))
    assert not torch.equal(batch["normals"][0], batch["normals"][1])


def step(**settings: Any) -> tuple[float, dict[str, float]]:
    """The loss that is minimised and those that are shown, on one batch of pairs."""
    torch.manual_seed(0)
    trainer = FlowTrainer(replace(TWICE, **settings), open_synth(), CPU)
    batch = next(iter(open_synth().under_two_lights().batches("train", 4, 32)))
    minimised: list[float] = []
    torch.manual_seed(2)
    shown = trainer.step(batch, lambda loss, name: minimised.append(float(loss.detach())), 0)
    return minimised[0], {name: float(term) for name, term in shown.items()}


def test_the_difference_counts_as_its_weight_says() -> None:
    with_it, shown = step(agree_weight=2.0)
    without, usual = step(agree_weight=0.0)
    assert shown["agree"] > 0
    assert "agree" not in usual
    assert with_it == pytest.approx(without + 2 * shown["agree"], rel=1e-5)


def test_a_pair_counts_less_the_later_its_later_sample() -> None:
    trainer = FlowTrainer(TWICE, open_synth(), CPU)
    batch = next(iter(trainer.batches("train")))
    with torch.no_grad():
        answer = trainer._answer(batch)._replace(time=torch.tensor([0.0, 0.25, 1.0, 0.0]))
    mask = known_in_both(batch["mask"], None)
    errors = answer.seen.log_shading - answer.truth
    one, other = agreement_loss(*split(errors), mask, 3.0, 1.0, 0.0)
    found = trainer._disagreement(answer, mask, None)
    assert found == pytest.approx(float(0.75 * one + 0 * other) / 2)


def test_a_part_is_cut_enlarged_and_turned() -> None:
    crop = torch.zeros(1, 1, 8, 8)
    crop[..., 2:4, 4:6] = 1  # the upper left corner of the part
    seen = Part(2, 4, 4, 0).of(crop)[0, 0]
    assert seen.shape == (8, 8)
    assert seen[:3, :3].min() == 1
    assert seen[5:].max() == seen[:, 5:].max() == 0
    turned = Part(2, 4, 4, 1).of(crop)[0, 0]
    assert turned[5:, :3].min() == 1, "to the left"
    assert torch.equal(Part(0, 0, 8, 2).of(crop), crop.flip(2, 3))


def test_parts_lie_in_the_crop_and_differ() -> None:
    torch.manual_seed(0)
    parts = [random_part(32) for _ in range(200)]
    assert all(16 <= part.size <= 32 for part in parts)
    assert all(part.top + part.size <= 32 and part.left + part.size <= 32 for part in parts)
    assert {part.turns for part in parts} == {0, 1, 2, 3}
    assert len(set(parts)) > 100


def test_second_photos_show_a_part_of_the_first_and_are_compared_there() -> None:
    """Shading that is told as it is, wrong by the same everywhere, agrees in any part."""
    batch = next(iter(open_synth().under_two_lights().batches("train", 4, 32)))
    part = Part(4, 8, 20, 3)
    cut = with_parts(batch, part)
    for key in cut:
        assert torch.equal(cut[key][::2], batch[key][::2])
    assert torch.equal(cut["shading"][1::2], part.of(batch["shading"][1::2]))
    assert set(cut["mask"].unique().tolist()) <= {0.0, 1.0}
    level = white_point(batch["photo"])
    paint, _ = split(to_log(batch["albedo"].clamp_min(0.01), level))
    wrong = agreement_loss(part.of(paint), paint, torch.ones(2, 1, 32, 32), 1.0, 1.0, 0.0)
    right = agreement_loss(part.of(paint), part.of(paint), torch.ones(2, 1, 32, 32), 1, 1, 0)
    assert wrong.min() > 0.01
    assert right.max() == 0
    first = part.of(batch["mask"][::2]) > 0.99
    both = known_in_both(cut["mask"], part)
    assert torch.equal(both > 0, first & (cut["mask"][1::2] > 0))


@pytest.mark.parametrize(("share", "drawn"), [(0.0, 0), (0.5, 10), (1.0, 20)])
def test_a_share_of_the_batches_shows_parts(share: float, drawn: int) -> None:
    trainer = FlowTrainer(replace(TWICE, agree_parts=share), open_synth(), CPU)
    batch = next(iter(trainer.batches("train")))
    torch.manual_seed(0)
    parts = [trainer._draw_part(batch) for _ in range(20)]
    assert abs(sum(part is not None for part in parts) - drawn) <= 4 * share * (1 - share) * 2
    assert step(agree_parts=share)[1]["agree"] > 0


def test_data_of_one_light_and_batches_of_one_are_refused() -> None:
    with pytest.raises(DataError, match="one light"):
        FlowTrainer(TWICE, Tiny(), CPU)
    with pytest.raises(ValueError, match="at least 2"):
        replace(TWICE, batch_size=1)
