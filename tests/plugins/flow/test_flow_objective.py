"""The objective of the default variant: every term by hand, with networks that answer what they are
told to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from iid_flow.light import from_log, to_log
from iid_flow.settings import FlowConfig
from iid_flow.train_flow import FlowTrainer
from iid_flow.vae import LATENTS
from iid_flow.white_point import white_point
from intrinsic_cli.api import Runtime
from intrinsic_cli.kit.data.synth.scenes import open_synth
from intrinsic_cli.kit.networks.losses import scale_invariant_loss

CPU = Runtime(torch.device("cpu"))


class Told(torch.nn.Module):
    """A velocity network that knows where the path leads: ``sign`` times the true velocity."""

    def __init__(self, x1: Tensor, sign: float = 1.0) -> None:
        super().__init__()
        self.x1, self.sign = x1, sign
        self.seen: list[tuple[Tensor, Tensor]] = []

    def forward(self, xt: Tensor, t: Tensor, photo: Tensor, maps: list[Tensor]) -> Tensor:
        self.seen.append((xt, t))
        left = (1 - t).clamp_min(1e-3).view(-1, 1, 1, 1)
        return self.sign * (self.x1 - xt) / left


def batch(size: int = 4) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    albedo = torch.rand(size, 3, 32, 32, generator=generator) * 0.6 + 0.2
    shading = torch.rand(size, 3, 32, 32, generator=generator) * 0.6 + 0.2
    mask = torch.ones(size, 1, 32, 32)
    return {"photo": albedo * shading, "albedo": albedo, "shading": shading, "mask": mask}


def trainer(**settings: Any) -> FlowTrainer:
    torch.manual_seed(0)
    config = FlowConfig(crop=32, pretrained="no", **settings)
    return FlowTrainer(config, open_synth(), CPU)


def terms_with(made: FlowTrainer, given: Mapping[str, Tensor], sign: float = 1.0) -> Any:
    """The terms of a trainer whose network knows the truth, and that network."""
    truth = to_log(given["shading"], white_point(given["photo"]))
    with torch.no_grad():
        told = Told(made.vae.encode(truth), sign)
    made.unet = told  # type: ignore[assignment]  # stands in
    with torch.no_grad():
        return made.terms(given), told


def test_the_true_velocity_has_no_flow_error_and_its_opposite_four_times_its_square() -> None:
    made, given = trainer(mean_share=1.0), batch()
    right, told = terms_with(made, given)
    assert float(right["flow"]) == pytest.approx(0.0, abs=1e-9)
    wrong, _ = terms_with(made, given, sign=-1.0)
    assert float(wrong["flow"]) == pytest.approx(4 * float(told.x1.square().mean()), rel=1e-4)


def test_the_answer_is_judged_where_the_velocity_points_to() -> None:
    """With the true velocity the answer is what the auto-encoder makes of the truth."""
    made, given = trainer(mean_share=1.0), batch()
    terms, told = terms_with(made, given)
    truth = to_log(given["shading"], white_point(given["photo"]))
    with torch.no_grad():
        rebuilt = made.vae.decode(told.x1)
        expected = made._log_loss(rebuilt, truth, given["mask"]).mean()
    assert float(terms["pixel"]) == pytest.approx(float(expected), rel=1e-5)


def test_the_linear_term_compares_shading_and_albedo_whole_and_in_windows() -> None:
    made, given = trainer(mean_share=1.0), batch()
    terms, told = terms_with(made, given)
    level = white_point(given["photo"])
    with torch.no_grad():
        shading = from_log(made.vae.decode(told.x1), level)
    albedo = (given["photo"] / shading).clamp(max=4)
    expected = torch.zeros(())
    for layer, name in ((shading, "shading"), (albedo, "albedo")):
        for window in (None, 3):
            error = scale_invariant_loss(layer, given[name], given["mask"], window)
            expected = expected + error.mean()
    assert float(terms["linear"]) == pytest.approx(float(expected), rel=1e-5)


def test_later_samples_count_less_in_pixels() -> None:
    made, given = trainer(mean_share=0.0), batch(64)
    terms, told = terms_with(made, given)
    truth = to_log(given["shading"], white_point(given["photo"]))
    ((_, t),) = told.seen
    assert 0.05 < float(t.mean()) < 0.95
    with torch.no_grad():
        each = made._log_loss(made.vae.decode(told.x1), truth, given["mask"])
    expected = (each * (1 - t)).mean()
    assert float(terms["pixel"]) == pytest.approx(float(expected), rel=1e-3)


@pytest.mark.parametrize("share", [0.0, 0.25, 0.75, 1.0])
def test_the_share_of_samples_that_start_from_nothing(share: float) -> None:
    torch.manual_seed(1)
    x0, t = trainer(mean_share=share).draw_start(torch.zeros(4000, LATENTS, 1, 1))
    without_noise = (x0 == 0).flatten(1).all(1)
    assert float(without_noise.float().mean()) == pytest.approx(share, abs=0.03)
    assert bool((t[without_noise] == 0).all())
    others = t[~without_noise]
    if len(others):
        assert float((others == 0).float().mean()) == pytest.approx(0.25, abs=0.04)
        spread = x0[~without_noise].flatten(1).std(1)
        assert float(spread.mean()) == pytest.approx(0.5, abs=0.05)


def test_what_is_masked_is_no_error_of_the_velocity() -> None:
    made, given = trainer(mean_share=1.0), batch()
    given["mask"][..., :16] = 0
    truth = to_log(given["shading"], white_point(given["photo"]))
    with torch.no_grad():
        told = Told(made.vae.encode(truth))
        told.x1[..., :4] += 100
    made.unet = told  # type: ignore[assignment]  # stands in
    with torch.no_grad():
        assert float(made.terms(given)["flow"]) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("term", ["flow", "pixel", "linear", "rebuild"])
def test_every_term_has_its_weight(term: str) -> None:
    weights = {"flow": 0.0, "pixel": 0.0, "linear": 0.0, "rebuild": 0.0, term: 3.0}
    made = trainer(**{f"{name}_weight": weight for name, weight in weights.items()})
    losses: list[Tensor] = []
    torch.manual_seed(2)
    shown = made.step(batch(), lambda loss, name: losses.append(loss.detach()), 0)
    assert float(losses[0]) == pytest.approx(3 * float(shown[term]), rel=1e-5)


def test_the_latents_are_normalised_before_the_first_step_and_never_again() -> None:
    made = trainer()
    made.setup()
    scale = made.vae.scale.clone()
    assert not bool((scale == 1).any())
    made._source = open_synth()
    made.setup()
    assert torch.equal(made.vae.scale, scale)


def test_sixteen_latents_a_quarter_the_size() -> None:
    made = trainer()
    with torch.no_grad():
        assert made.vae.encode(torch.zeros(1, 3, 32, 48)).shape == (1, 16, 8, 12)


def test_later_samples_count_less_in_linear_light() -> None:
    made, given = trainer(mean_share=0.0), batch(64)
    terms, told = terms_with(made, given)
    ((_, t),) = told.seen
    with torch.no_grad():
        decoded = made.vae.decode(told.x1)
        each = made._linear_loss(decoded, given, white_point(given["photo"]))
    assert float(terms["linear"]) == pytest.approx(float((each * (1 - t)).mean()), rel=1e-3)


@pytest.mark.parametrize("decoder_lr", [0.0, 4e-4])
def test_what_learns_and_how_fast(decoder_lr: float) -> None:
    made = trainer(lr=2e-3, encoder_lr=3e-4, decoder_lr=decoder_lr, weight_decay=0.07)
    optimizer = made.optimizers["flow"]
    rates = {id(x): group["lr"] for group in optimizer.param_groups for x in group["params"]}
    assert {group["weight_decay"] for group in optimizer.param_groups} == {0.07}
    parts = (
        (made.unet, {2e-3}),
        (made.encoder, {3e-4}),
        (made.vae.decoder, {decoder_lr or None}),
        (made.vae.encoder, {None}),
    )
    for net, expected in parts:
        assert {rates.get(id(x)) for x in net.parameters()} == expected
        assert {x.requires_grad for x in net.parameters()} == {expected != {None}}
