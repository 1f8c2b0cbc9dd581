"""Discriminators: what they answer, who plays when, who learns from whom."""

from __future__ import annotations

import pytest
import torch
from little_training import Steps, first_batch, new_trainer
from torch import Tensor

from iid_residual.adversary import Adversary
from iid_residual.networks.discriminators import JointDiscriminator, SeparateDiscriminator
from iid_residual.variants import design_of
from intrinsic_cli.kit.networks.checkpoint import state_of


@pytest.mark.parametrize("kind", ["joint", "separate", "label"])
def test_discriminators_answer_one_number_a_picture(kind: str) -> None:
    network = JointDiscriminator(4) if kind == "joint" else SeparateDiscriminator(4)
    for side in (16, 32, 64, 128):
        assert network(torch.rand(3, 3, side, side)).shape == (3,)
    assert network(torch.rand(1, 3, 16, 20)).shape == (1,)


@pytest.mark.parametrize(("network", "count"), [("joint", 2_818_496), ("separate", 11_164_416)])
def test_discriminators_have_the_published_size(network: str, count: int) -> None:
    made = JointDiscriminator(64) if network == "joint" else SeparateDiscriminator(64)
    assert sum(x.numel() for x in made.parameters()) == count


def test_albedos_first_then_the_residual_alone() -> None:
    adversary = Adversary(design_of("gan-separate"), 4, steps=4)
    losses = {name: torch.ones(()) for name in ("albedo", "normals", "rebuilt", "residual")}
    assert adversary.those_of_now(losses, 0).keys() == {"albedo", "normals"}
    assert adversary.those_of_now(losses, 3).keys() == {"rebuilt", "residual"}
    assert Adversary(design_of("gan"), 4, 4).those_of_now(losses, 0) == losses
    assert [adversary.plays(n) for n in range(4)] == [True, True, False, False]


def test_the_label_is_compared_answer_by_answer() -> None:
    """The published code lets [B,1,1,1] meet [B,1] and learns the mean."""
    adversary = Adversary(design_of("gan-label"), 4, 4)
    answers, label = torch.tensor([1.0, 0.0]), torch.tensor([[1.0], [0.0]])
    assert adversary._real_error(answers, label).item() == 0
    assert adversary._real_error(answers.flip(0), label).item() == 1
    others = Adversary(design_of("gan-separate"), 4, 4)
    assert others._real_error(torch.tensor([1.0, 0.3]), label).item() == 0


@pytest.mark.parametrize("variant", ["gan", "gan-separate", "gan-label"])
def test_discriminator_and_network_take_turns(variant: str) -> None:
    trainer = new_trainer(variant)
    steps = Steps(trainer)
    batch = first_batch(trainer)
    trainer.step(batch, steps, 0)
    assert steps.names == ["discriminator", "pipe"]
    trainer.step(batch, steps, 3)
    assert steps.names[2:] == (["discriminator", "pipe"] if variant == "gan" else ["pipe"])
    assert all(x.requires_grad for x in trainer.nets["discriminator"].parameters())


@pytest.mark.parametrize("variant", ["gan", "gan-separate", "gan-label"])
def test_the_smallest_faces_will_do(variant: str) -> None:
    trainer = new_trainer(variant, crop=32, batch_size=1)
    losses = trainer.step(first_batch(trainer), Steps(trainer), 0)
    assert torch.stack([*losses.values()]).isfinite().all()


def test_the_network_is_told_by_the_discriminator_but_does_not_teach_it() -> None:
    trainer = new_trainer("gan")
    before = state_of(trainer.nets)["discriminator"]
    minimised = []

    def minimise(loss: Tensor, name: str) -> None:
        minimised.append((name, loss))
        loss.backward()

    trainer.step(first_batch(trainer), minimise, 0)
    assert [name for name, _ in minimised] == ["discriminator", "pipe"]
    after = state_of(trainer.nets)["discriminator"]
    assert all(x.equal(after[key]) for key, x in before.items())
