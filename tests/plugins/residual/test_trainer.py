"""Training: what is compared with what, what learns, who plays when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

import iid_residual
from iid_residual.adversary import Adversary
from iid_residual.domain import MEAN, Domain, compared
from iid_residual.losses import angle, distance, masked, unevenness
from iid_residual.networks.discriminators import JointDiscriminator, SeparateDiscriminator
from iid_residual.networks.pipe import Pipe
from iid_residual.settings import ResidualConfig
from iid_residual.terms import measures, table_losses
from iid_residual.trainer import ResidualTrainer
from iid_residual.truth import truth_of, with_pseudo_labels
from iid_residual.variants import DESIGNS, design_of
from intrinsic_cli.api import Runtime, UsageError
from intrinsic_cli.kit.networks.checkpoint import state_of
from intrinsic_cli.testing_source import Tiny

CONFIG = ResidualConfig(
    steps=4, real_steps=4, batch_size=2, crop=64, pretrained="no", width=16, dis_width=4
)
NEEDS = ("photo", "albedo", "shading", "normals", "light", "mask")
SOURCE = Tiny(offers=frozenset(NEEDS))


def _trainer(variant: str = "", stage: str = "synthetic", **more: Any) -> ResidualTrainer:
    parents = more.pop("parents", {})
    torch.manual_seed(0)
    runtime = Runtime(torch.device("cpu"), variant=variant, parents=parents)
    return ResidualTrainer(stage, replace(CONFIG, **more), SOURCE, runtime)


def _batch(trainer: ResidualTrainer) -> dict[str, Tensor]:
    return dict(next(iter(trainer.batches("train"))))


class Steps:
    """Minimises, and remembers what was minimised by whom."""

    def __init__(self, trainer: ResidualTrainer) -> None:
        self.trainer = trainer
        self.names: list[str] = []

    def __call__(self, loss: Tensor, name: str) -> None:
        optimizer = self.trainer.optimizers[name]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        self.names.append(name)


def _changed(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> set[str]:
    """The parts some tensor of which is another one now."""
    return {key.partition(".")[0] for key, x in before.items() if not x.equal(after[key])}


def _step(trainer: ResidualTrainer, number: int = 0, **more: Tensor) -> Mapping[str, Tensor]:
    for net in trainer.nets.values():
        net.train()
    return trainer.step(_batch(trainer) | more, Steps(trainer), number)


def test_a_loss_outside_the_mask_is_no_loss() -> None:
    trainer = _trainer()
    batch = _batch(trainer)
    made, truth = trainer._answer(batch)
    spoiled = dict(batch)
    outside = 1 - batch["mask"]
    for key in ("albedo", "shading", "normals"):
        spoiled[key] = batch[key] * batch["mask"] + 9 * outside
    spoiled_truth = truth_of(spoiled, Domain.of(batch["photo"]), tuple(truth.mask.shape[-2:]))
    assert float(truth.mask.mean()) < 1
    plain = table_losses(design_of(""), made, truth)
    again = table_losses(design_of(""), made, spoiled_truth)
    for name in ("normals", "albedo", "shading"):
        assert plain[name].allclose(again[name], atol=1e-5), name


def test_truth_of_normals_and_light_agrees_with_the_shading() -> None:
    """The little scenes know light and normals; both pass the plugin's door."""
    trainer = _trainer()
    batch = _batch(trainer)
    domain = Domain.of(batch["photo"])
    truth = truth_of(batch, domain, (64, 64))
    assert truth.normals.square().sum(1).allclose(torch.tensor(1.0), atol=1e-4)
    assert (truth.albedo * truth.shading).allclose(truth.photo, atol=1e-4)
    assert truth.light.shape == (2, 27)


def test_distances_are_the_published_ones() -> None:
    guess, truth = torch.tensor([1.0]), torch.tensor([3.0])
    assert distance("l1", guess, truth).item() == 2
    assert distance("square", guess, truth).item() == 4
    assert distance("smooth", guess, truth).item() == pytest.approx(1.95)
    assert distance("smooth", truth, truth + 0.05).item() == pytest.approx(0.05**2 / 0.2, abs=1e-5)


def test_masked_means_count_only_what_is_inside() -> None:
    errors = torch.tensor([[[[1.0, 100.0]], [[3.0, 100.0]]]])
    mask = torch.tensor([[[[1.0, 0.0]]]])
    assert masked(errors, mask).item() == 2
    assert masked(errors, mask * 0).item() == 0
    assert unevenness(errors, mask).item() == 0
    assert unevenness(errors, mask * 0 + 1).item() == pytest.approx((99 + 97) / 2)


def test_angles_are_degrees() -> None:
    right, up = torch.tensor([[1.0, 0, 0]]), torch.tensor([[0.0, 1, 0]])
    assert angle(right, up).item() == pytest.approx(90)
    assert angle(right, right).item() == pytest.approx(0, abs=0.1)


def test_numbers_of_a_network_come_back_to_the_house() -> None:
    photo = torch.rand(2, 3, 8, 8) * torch.tensor([0.01, 1.0]).view(2, 1, 1, 1)
    for srgb in (False, True):
        domain = Domain.of(photo, srgb)
        assert domain.shading(domain.drawn(photo)).allclose(photo, atol=1e-4)
    level = Domain.of(photo)
    assert level.drawn(photo).mean((1, 2, 3)).allclose(torch.tensor(MEAN), atol=0.05)
    assert compared(torch.tensor([-0.5, 0.0, 0.5])).tolist() == pytest.approx(
        [-0.6141, 0, 0.6141], abs=1e-3
    )


@pytest.mark.parametrize(
    "design", [d for d in DESIGNS if d.residual and not d.adversary], ids=lambda d: d.name
)
def test_only_what_the_table_names_learns_where_the_base_is_given(design: Any) -> None:
    base = state_of(_trainer("sfsnet").nets)
    variant = "" if design is DESIGNS[0] else design.name
    trainer = _trainer(variant, parents={"init": base})
    before = state_of(trainer.nets)["pipe"]
    _step(trainer)
    changed = _changed(before, state_of(trainer.nets)["pipe"])
    assert changed == set(design.learns)


def test_frozen_norms_keep_their_statistics() -> None:
    """Batch norms of the published backbone, in training mode."""
    base = state_of(_trainer("sfsnet", backbone="paper").nets)
    trainer = _trainer("albedo-residue", backbone="paper", parents={"init": base})
    network = trainer.nets["pipe"]
    assert isinstance(network, Pipe)
    before = state_of(trainer.nets)["pipe"]
    _step(trainer)
    after = state_of(trainer.nets)["pipe"]
    assert _changed(before, after) == {"residual_model"}
    assert not network.conv_model.training
    assert network.get_submodule("residual_model").training


def test_all_learns_where_there_is_no_base() -> None:
    trainer = _trainer("albedo-residue")
    before = state_of(trainer.nets)["pipe"]
    _step(trainer)
    _step(trainer, 1)
    parts = {name for name, _ in trainer.nets["pipe"].named_children()}
    assert _changed(before, state_of(trainer.nets)["pipe"]) == parts


def test_the_second_albedo_features_begin_as_the_first() -> None:
    base = state_of(_trainer("sfsnet").nets)
    made = state_of(_trainer("", parents={"init": base}).nets)["pipe"]
    name = "block.conv1.weight"
    assert made[f"albedo_residual_model_2.{name}"].equal(
        base["pipe"][f"albedo_residual_model.{name}"]
    )


def test_the_albedo_does_not_learn_from_the_rebuilt_photo() -> None:
    trainer = _trainer()
    made, truth = trainer._answer(_batch(trainer))
    losses = table_losses(design_of(""), made, truth)
    found = torch.autograd.grad(
        losses["rebuilt"], made.albedo, allow_unused=True, retain_graph=True
    )
    assert found[0] is None
    plain = _trainer("sfsnet")
    made, truth = plain._answer(_batch(plain))
    rebuilt = table_losses(design_of("sfsnet"), made, truth)["rebuilt"]
    assert torch.autograd.grad(rebuilt, made.albedo)[0].abs().sum() > 0


def test_samples_without_truth_take_the_teachers() -> None:
    trainer = _trainer()
    batch = _batch(trainer)
    batch["label"] = torch.tensor([[1.0], [0.0]])
    with torch.no_grad():
        made, truth = trainer._answer(batch)
    assert truth.known[1].sum() == 0
    assert truth.known[0].sum() > 0
    filled = with_pseudo_labels(truth, made)
    assert filled.albedo[1].allclose(made.albedo[1], atol=1e-6)
    assert filled.light[1].allclose(made.light[1])
    assert filled.albedo[0].equal(truth.albedo[0])
    assert filled.known[1].sum() > 0


def test_without_a_label_half_of_the_samples_count_as_photos_in_the_second_stage() -> None:
    first = state_of(_trainer().nets)
    trainer = _trainer(stage="real", parents={"synthetic": first})
    labels = [trainer._labelled(_batch(trainer), n)["label"].flatten().tolist() for n in (0, 1)]
    assert labels == [[0, 1], [1, 0]]
    assert trainer.steps == 4


def test_the_second_stage_begins_with_the_first_ones_network() -> None:
    first = state_of(_trainer().nets)
    trainer = _trainer(stage="real", parents={"synthetic": first})
    now = state_of(trainer.nets)
    assert all(x.equal(now["pipe"][key]) for key, x in first["pipe"].items())
    assert "loss" in trainer.validate(_batch(trainer))


@pytest.mark.parametrize("kind", ["joint", "separate", "label"])
def test_discriminators_answer_one_number_a_picture(kind: str) -> None:
    network = JointDiscriminator(4) if kind == "joint" else SeparateDiscriminator(4)
    for side in (64, 128):
        assert network(torch.rand(3, 3, side, side)).shape == (3,)


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
    trainer = _trainer(variant)
    steps = Steps(trainer)
    batch = _batch(trainer)
    trainer.step(batch, steps, 0)
    assert steps.names == ["discriminator", "pipe"]
    trainer.step(batch, steps, 3)
    assert steps.names[2:] == (["discriminator", "pipe"] if variant == "gan" else ["pipe"])
    assert all(x.requires_grad for x in trainer.nets["discriminator"].parameters())


def test_the_network_is_told_by_the_discriminator_but_does_not_teach_it() -> None:
    trainer = _trainer("gan")
    before = state_of(trainer.nets)["discriminator"]
    minimised = []

    def minimise(loss: Tensor, name: str) -> None:
        minimised.append((name, loss))
        loss.backward()

    trainer.step(_batch(trainer), minimise, 0)
    assert [name for name, _ in minimised] == ["discriminator", "pipe"]
    after = state_of(trainer.nets)["discriminator"]
    assert all(x.equal(after[key]) for key, x in before.items())


def test_measures_of_the_truth_itself_are_perfect() -> None:
    trainer = _trainer()
    batch = _batch(trainer)
    made, truth = trainer._answer(batch)
    made.normals, made.albedo, made.light = truth.normals, truth.albedo, truth.light
    made.shading, made.rebuilt = truth.shading, truth.photo
    found = measures(made, truth)
    assert found["normals °"].item() < 0.1
    assert found["light °"].item() < 0.1
    assert found["albedo"].item() < 1e-4
    assert found["rebuilt"].item() < 1e-4


def test_reading_the_first_heads_is_for_heads() -> None:
    with pytest.raises(UsageError, match="read_first"):
        _trainer(read_first=3)


def test_the_seeds_options_exist() -> None:
    (spec,) = iid_residual.iid_methods()
    names = set(spec.default.config.__dataclass_fields__)
    asked = {"batch_size", "steps", "lr", "weight_decay", "read_first", "details", "width"}
    assert asked <= names
