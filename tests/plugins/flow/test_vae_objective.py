"""The objective of stage ``vae``, and what validates both stages, by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from iid_flow.decomposer import predict
from iid_flow.light import to_log
from iid_flow.settings import FlowConfig
from iid_flow.train_flow import FlowTrainer
from iid_flow.train_vae import VaeTrainer
from iid_flow.white_point import white_point
from intrinsic_cli.api import Runtime, Trainer
from intrinsic_cli.kit.data.synth.scenes import open_synth

CPU = Runtime(torch.device("cpu"))


class Recorder(torch.nn.Module):
    """A decoder that keeps the latents it gets and answers ``log_shading``."""

    def __init__(self, log_shading: Tensor) -> None:
        super().__init__()
        self.log_shading, self.seen = log_shading, torch.zeros(())

    def forward(self, latents: Tensor) -> Tensor:
        self.seen = latents
        return self.log_shading


def config(**more: Any) -> FlowConfig:
    return FlowConfig(crop=32, pretrained="no", **more)


@pytest.fixture
def batch() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    albedo, shading = torch.rand(2, 2, 3, 32, 32, generator=generator) * 0.6 + 0.2
    mask = torch.ones(2, 1, 32, 32)
    mask[..., :9] = 0
    return {"photo": albedo * shading, "albedo": albedo, "shading": shading, "mask": mask}


def truth_of(batch: dict[str, Tensor]) -> Tensor:
    return to_log(batch["shading"], white_point(batch["photo"]))


def test_the_loss_is_the_pixels_and_a_little_of_the_divergence(batch: dict[str, Tensor]) -> None:
    torch.manual_seed(0)
    made = VaeTrainer(config(kl_weight=0.125), open_synth(), CPU)
    losses: list[Tensor] = []
    shown = made.step(batch, lambda loss, name: losses.append(loss.detach()), 0)
    expected = shown["pixel"] + 0.125 * shown["kl"]
    assert float(losses[0]) == pytest.approx(float(expected), rel=1e-6)


def test_the_noise_of_latents_has_their_own_spread(
    batch: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = VaeTrainer(config(), open_synth(), CPU)
    told = Recorder(truth_of(batch).requires_grad_())
    made.vae.decoder = told
    mean, variance = torch.full((2, 16, 64, 64), 3.0), torch.full((2, 16, 64, 64), 4.0)
    monkeypatch.setattr(made.vae, "posterior", lambda truth: (mean, variance.log()))
    torch.manual_seed(0)
    shown = made.step(batch, lambda loss, name: None, 0)
    assert float(told.seen.mean()) == pytest.approx(3, abs=0.05)
    assert float(told.seen.std()) == pytest.approx(2, abs=0.05)
    assert float(shown["pixel"]) == pytest.approx(0, abs=1e-6), "rebuilt is the truth"


def test_settings_of_the_stage() -> None:
    made = VaeTrainer(config(lr=3e-3, weight_decay=0.07, vae_steps=77), open_synth(), CPU)
    (group,) = made.optimizers["vae"].param_groups
    assert (made.steps, group["lr"], group["weight_decay"]) == (77, 3e-3, 0.07)


def test_batches_depend_on_the_seed_and_go_on_where_asked() -> None:
    def first(seed: int, start: int) -> Tensor:
        made = VaeTrainer(config(seed=seed, batch_size=2), open_synth(), CPU)
        return next(iter(made.batches("train", start)))["photo"]

    assert torch.equal(first(1, 0), first(1, 0))
    assert not torch.equal(first(1, 0), first(2, 0))
    assert not torch.equal(first(1, 0), first(1, 1))


def test_the_terms_of_log_shading_have_their_own_weights(batch: dict[str, Tensor]) -> None:
    """An error of colour alone counts ``chroma_weight``, and a constant has no gradient."""
    truth = truth_of(batch)
    rough = truth.clone()
    rough[:, 1] += torch.linspace(-1, 1, 32)

    def loss(**more: float) -> float:
        made = VaeTrainer(config(**more), open_synth(), CPU)
        return float(made._log_loss(rough, truth, batch["mask"]).mean())

    plain = loss(chroma_weight=1.0, gradient_weight=0.0)
    assert plain > 0.1
    assert loss(chroma_weight=0.25, gradient_weight=0.0) == pytest.approx(plain / 4, rel=1e-5)
    once, twice = (loss(chroma_weight=1.0, gradient_weight=weight) for weight in (1.0, 2.0))
    assert once > plain
    assert twice - plain == pytest.approx(2 * (once - plain), rel=1e-5)


@pytest.mark.parametrize("stage", ["vae", "flow"])
def test_validation_is_the_loss_in_the_exposure_of_the_photo(
    stage: str, batch: dict[str, Tensor]
) -> None:
    torch.manual_seed(0)
    made: Trainer
    with torch.no_grad():
        if stage == "vae":
            made = VaeTrainer(config(), open_synth(), CPU)
            answer = made.vae.decode(made.vae.encode(truth_of(batch)))
        else:
            made = FlowTrainer(config(), open_synth(), CPU)
            for net in made.nets.values():
                net.eval()
            answer = predict(made.nets, batch["photo"], None, 1)
        expected = made._log_loss(answer, truth_of(batch), batch["mask"]).mean()
        found = made.validate(batch)["loss"]
    assert float(found) == pytest.approx(float(expected), rel=1e-5)
