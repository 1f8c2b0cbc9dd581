"""One paint under two lights: what is compared, and when."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from iid_flow.light import to_log
from iid_flow.losses import agreement_loss
from iid_flow.settings import FlowConfig
from iid_flow.train_flow import FlowTrainer
from intrinsic_cli.api import DataError, Runtime
from intrinsic_cli.kit.data.synth.scenes import open_synth
from intrinsic_cli.kit.light.exposure import exposure
from intrinsic_cli.testing_source import Tiny

CPU = Runtime(torch.device("cpu"))
TWICE = FlowConfig(batch_size=4, crop=32, pretrained="no", agree_weight=0.5)
EVERYWHERE = torch.ones(2, 1, 32, 32)


def values(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) + 0.2


def errors_of(albedos: Tensor, paint: Tensor, photos: Tensor) -> Tensor:
    """Of log shading, where photos of one paint were divided so that ``albedos`` came out."""
    level = exposure(photos)
    answer, truth = photos / albedos, photos / paint
    return to_log(answer, level) - to_log(truth, level)


def loss(albedos: Tensor, mask: Tensor = EVERYWHERE, colour: float = 0.0) -> float:
    """Of two answers for one paint under two lights."""
    paint, light = values(1, 3, 32, 32), values(2, 3, 32, 32, seed=1)
    errors = errors_of(albedos, paint, paint * light)
    return float(agreement_loss(errors, mask, 3.0, 1.0, colour).mean())


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
    errors, mask = values(3, 3, 32, 32), torch.ones(3, 1, 32, 32)
    assert torch.equal(
        agreement_loss(errors, mask, 1, 1, 0), agreement_loss(errors[:2], mask[:2], 1, 1, 0)
    )


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
    errors, mask = values(4, 3, 32, 32), torch.ones(4, 1, 32, 32)
    one, other = agreement_loss(errors, mask, 3.0, 1.0, 0.0)
    found = trainer._disagreement(errors, mask, torch.tensor([0.0, 0.25, 1.0, 0.0]))
    assert found == pytest.approx(float(0.75 * one + 0 * other) / 2)


def test_data_of_one_light_and_batches_of_one_are_refused() -> None:
    with pytest.raises(DataError, match="one light"):
        FlowTrainer(TWICE, Tiny(), CPU)
    with pytest.raises(ValueError, match="at least 2"):
        replace(TWICE, batch_size=1)
