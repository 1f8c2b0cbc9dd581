"""What is compared with what: domains, truth, pseudo labels, losses and measures."""

from __future__ import annotations

import pytest
import torch
from little_training import first_batch, new_trainer

from iid_residual.domain import MEAN, Domain, compared
from iid_residual.losses import angle, distance, masked, unevenness
from iid_residual.terms import measures, table_losses
from iid_residual.truth import truth_of, with_pseudo_labels
from iid_residual.variants import design_of


def test_a_loss_outside_the_mask_is_no_loss() -> None:
    trainer = new_trainer()
    batch = first_batch(trainer)
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
    trainer = new_trainer()
    batch = first_batch(trainer)
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


def test_the_albedo_does_not_learn_from_the_rebuilt_photo() -> None:
    trainer = new_trainer()
    made, truth = trainer._answer(first_batch(trainer))
    losses = table_losses(design_of(""), made, truth)
    found = torch.autograd.grad(
        losses["rebuilt"], made.albedo, allow_unused=True, retain_graph=True
    )
    assert found[0] is None
    plain = new_trainer("sfsnet")
    made, truth = plain._answer(first_batch(plain))
    rebuilt = table_losses(design_of("sfsnet"), made, truth)["rebuilt"]
    assert torch.autograd.grad(rebuilt, made.albedo)[0].abs().sum() > 0


def test_samples_without_truth_take_the_teachers() -> None:
    trainer = new_trainer()
    batch = first_batch(trainer)
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


def test_measures_of_the_truth_itself_are_perfect() -> None:
    trainer = new_trainer()
    batch = first_batch(trainer)
    made, truth = trainer._answer(batch)
    made.normals, made.albedo, made.light = truth.normals, truth.albedo, truth.light
    made.shading, made.rebuilt = truth.shading, truth.photo
    found = measures(made, truth)
    assert found["normals °"].item() < 0.1
    assert found["light °"].item() < 0.1
    assert found["albedo"].item() < 1e-4
    assert found["rebuilt"].item() < 1e-4
