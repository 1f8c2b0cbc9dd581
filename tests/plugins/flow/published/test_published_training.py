"""Training of the published networks, on made-up photos."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest
import torch
from torch import Tensor

from iid_flow.published import VARIANTS, trainer
from iid_flow.published.stage import training_pair
from iid_flow.published.train_flow import PublishedFlowTrainer
from iid_flow.published.train_vae import PublishedVaeTrainer
from iid_flow.published.vae import VAE, divergence
from iid_flow.settings import PublishedConfig
from intrinsic_cli.api import Runtime, Trainer
from intrinsic_cli.kit.networks.checkpoint import state_of

CONFIG = PublishedConfig(batch_size=1, crop=32, gan_start=0)
CPU = Runtime(torch.device("cpu"))
STAGES = ("vae", "flow")


class Made:
    """A dataset whose n-th batch is drawn from (seed, n)."""

    name = protocol = "made"
    offers = frozenset({"photo", "albedo", "shading", "mask"})

    def batches(
        self, split: str, size: int, crop: int, seed: int = 0, start: int = 0
    ) -> Iterator[dict[str, Tensor]]:
        for n in range(start, 10**6 if split == "train" else 2):
            yield batch_of(size, crop, 1000 * seed + n)

    def cases(self, split: str = "val") -> Sequence[Any]:
        return iter(())


def batch_of(size: int, crop: int, seed: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    albedo = torch.rand(size, 3, crop, crop, generator=generator)
    shading = torch.rand(size, 1, crop, crop, generator=generator).expand(-1, 3, -1, -1)
    return {
        "photo": albedo * shading,
        "albedo": albedo,
        "shading": shading,
        "mask": torch.ones(size, 1, crop, crop),
    }


def minimiser(made: Trainer) -> Callable[[Tensor, str], None]:
    def minimise(loss: Tensor, name: str) -> None:
        made.optimizers[name].zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        made.optimizers[name].step()

    return minimise


def run(made: Trainer, steps: int) -> list[Mapping[str, Tensor]]:
    minimise = minimiser(made)
    batches = islice(made.batches("train"), steps)
    return [made.step(batch, minimise, number) for number, batch in enumerate(batches)]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_two_steps_move_the_weights_and_nothing_frozen(variant: str, stage: str) -> None:
    torch.manual_seed(0)
    made = trainer(variant, stage, CONFIG, Made(), CPU)
    before = state_of(made.nets)
    losses = run(made, 2)
    assert losses[0].keys() == losses[1].keys()
    assert all(torch.isfinite(x) and not x.requires_grad for row in losses for x in row.values())
    trained = {id(p) for o in made.optimizers.values() for g in o.param_groups for p in g["params"]}
    for name, net in made.nets.items():
        same = [
            torch.equal(before[name][key], x)
            for key, x in net.state_dict().items()
            if x.is_floating_point()
        ]
        assert all(same) if id(next(net.parameters())) not in trained else not any(same[:2]), name


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_validation_and_preview(variant: str, stage: str) -> None:
    made = trainer(variant, stage, CONFIG, Made(), CPU)
    batch = next(iter(made.batches("val")))
    for net in made.nets.values():
        net.eval()
    with torch.no_grad():
        assert torch.isfinite(made.validate(batch)[made.watch])
        columns = made.preview(batch)
    assert all(
        x.shape[1:] == (3, 32, 32) and x.min() >= 0 and x.max() <= 1 for x in columns.values()
    )


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_seed_gives_the_same_run(variant: str) -> None:
    def once() -> dict[str, Tensor]:
        made = trainer(variant, "vae", CONFIG, Made(), CPU)
        torch.manual_seed(5)
        run(made, 2)
        return dict(state_of(made.nets)["vae"])

    first, second = once(), once()
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_flow_learns_on_the_parent_autoencoder() -> None:
    vae = VAE("albedo16")
    parents = {"vae": state_of({"vae": vae})}
    made = trainer("albedo16", "flow", CONFIG, Made(), replace(CPU, parents=parents))
    assert all(
        torch.equal(x, vae.state_dict()[key]) for key, x in made.nets["vae"].state_dict().items()
    )


@pytest.mark.parametrize("variant", VARIANTS)
def test_generator_step_leaves_the_discriminator_alone(variant: str) -> None:
    """The bug of both papers: the adversarial gradient of the generator also went into the
    discriminator."""
    made = trainer(variant, "vae", CONFIG, Made(), CPU)
    assert isinstance(made, PublishedVaeTrainer)
    gradients: dict[str, list[bool]] = {}

    def look(loss: Tensor, name: str) -> None:
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        gradients[name] = [p.grad is not None for p in made.discriminator.parameters()]
        made.vae.zero_grad()

    losses = made.step(batch_of(1, 32, 0), look, 0)
    assert not any(gradients["vae"])
    assert all(gradients["discriminator"])
    assert losses["gan"] > 0
    assert all(p.requires_grad for p in made.discriminator.parameters())


def test_the_discriminator_waits_and_then_learns_every_other_step() -> None:
    made = trainer("albedo16", "vae", replace(CONFIG, gan_start=2), Made(), CPU)
    losses = run(made, 5)
    assert [bool(row["gan"]) for row in losses] == [False, False, True, True, True]
    assert [bool(row["discriminator"]) for row in losses] == [False, False, True, False, True]


def test_the_step_number_says_when_the_discriminator_joins() -> None:
    made = trainer("albedo16", "vae", replace(CONFIG, gan_start=2), Made(), CPU)
    for number, on in ((1, False), (2, True)):
        batch = next(iter(made.batches("train", number)))
        assert bool(made.step(batch, minimiser(made), number)["gan"]) == on


def test_without_weight_there_is_no_discriminator() -> None:
    made = trainer("shading8", "vae", replace(CONFIG, gan_weight=0.0), Made(), CPU)
    assert set(made.nets) == set(made.optimizers) == {"vae"}


def test_shading8_trains_every_even_step_at_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    made = trainer("shading8", "flow", CONFIG, Made(), CPU)
    assert isinstance(made, PublishedFlowTrainer)
    asked: list[float] = []
    forward = made.unet.forward

    def spy(z: Tensor, t: Tensor, maps: Any) -> Tensor:
        asked.append(float(t))
        return forward(z, t, maps)

    monkeypatch.setattr(made.unet, "forward", spy)
    run(made, 2)
    assert [t == 0 for t in asked] == [True, False]


def test_photos_are_exposed_together() -> None:
    batch = batch_of(2, 32, 0)
    dim = {**batch, "photo": batch["photo"] * 0.1, "shading": batch["shading"] * 0.1}
    for bright, dark in zip(
        training_pair("shading8", batch), training_pair("shading8", dim), strict=True
    ):
        torch.testing.assert_close(bright, dark)
        assert bright.min() >= -1
        assert bright.max() <= 1
    photo, shading = ((x + 1) / 2 for x in training_pair("shading8", batch))
    unclipped = (photo < 1) & (shading < 1)
    torch.testing.assert_close((batch["albedo"] * shading)[unclipped], photo[unclipped])


def test_divergence_of_known_posteriors() -> None:
    zero = torch.zeros(1, 2, 2, 2)
    assert divergence(zero, zero) == 0
    torch.testing.assert_close(divergence(zero + 2, zero), torch.tensor(2.0))
    assert torch.isfinite(divergence(zero, zero + 100))
