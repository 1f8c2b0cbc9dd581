"""Training: what each stage learns and hands on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from iid_mesh.networks import texture
from iid_mesh.stages.fitting import FittingStage
from iid_mesh.template import icosphere
from iid_mesh.trainer import STAGES
from intrinsic_cli.kit.networks.checkpoint import state_of

from .little_stages import (
    CONFIG,
    batch,
    copied_networks,
    few_sides,
    minimise_with,
    new_stage,
    trained,
)

Grown = tuple[FittingStage, Mapping[str, Tensor]]


@pytest.fixture(scope="module", autouse=True)
def _few_sides() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        few_sides(patch)
        copied_networks(patch)
        yield


@pytest.fixture(scope="module")
def grown(_few_sides: None) -> Grown:
    """Stage s1 after a step, and its losses; not to be changed."""
    return trained("s1")


def test_the_stages_come_in_order_and_are_bounded() -> None:
    assert list(STAGES) == ["s1", "template", "s2", "flow"]
    config = replace(CONFIG, steps=50, s1_steps=7, template_steps=5, flow_steps=9)
    assert [new_stage(name, config).steps for name in STAGES] == [7, 5, 0, 9]


def test_s1_grows_the_template_and_hands_it_to_the_network() -> None:
    stage = new_stage("s1")
    before = stage.mesh.mean_v.clone()
    stage.step(batch(), minimise_with(stage), 0)
    stage.step(batch(1), minimise_with(stage), 1)
    grown = stage.nets["growth"].half_shape().detach()  # type: ignore[operator]
    assert torch.equal(stage.mesh.mean_v, grown)
    assert float((grown - before).abs().max()) > 1e-3
    assert torch.allclose(stage.mesh.template_parts.sum(1), torch.ones(642), atol=1e-4)


def test_shapes_learn_nothing_in_s1(grown: Grown) -> None:
    stage, losses = grown
    assert "deform" not in losses
    assert float(stage.mesh(batch()["photo"]).shape.detach().abs().max()) < 0.05


def test_the_template_stage_collects_parts_and_changes_no_shape_but_its_level(
    grown: Grown,
) -> None:
    first = bent_by(grown[0], 0.0)
    state = {"s1": state_of(first.nets)}
    stage, _ = trained("template", 3, parents=state)
    assert not stage.optimizers
    certain = stage.mesh.template_parts[:, 1:].amax(1)
    assert float(certain.mean()) > 0.5
    turned, grown = stage.mesh.mean_v, first.mesh.mean_v
    assert torch.allclose(turned.norm(dim=1), grown.norm(dim=1), atol=1e-5)
    assert torch.equal(turned[:, 1], grown[:, 1])


def test_shapes_that_are_bent_already_make_the_template(grown: Grown) -> None:
    first = bent_by(grown[0], 0.2)
    stage, _ = trained("template", 1, parents={"s1": state_of(first.nets)})
    semantics = stage.nets["semantics"]
    semantics.up.copy_(torch.tensor([0.0, 0.0, 1.0]))  # type: ignore[operator, union-attr]
    moved = semantics.level() - first.mesh.mean_v  # type: ignore[operator]
    with torch.no_grad():
        (bend,) = first.mesh(torch.rand(1, 3, 32, 32)).shape
    assert torch.allclose(moved, bend, atol=1e-5)
    assert float(bend.abs().max()) > 0.05


def bent_by(stage: FittingStage, share: float) -> FittingStage:
    """A copy whose network raises what lies ahead and lowers what lies behind, whatever it sees."""
    bent = deepcopy(stage)
    layer = bent.mesh.body.shape
    assert isinstance(layer, torch.nn.Linear)
    moved = torch.zeros(337, 3)
    moved[:, 2] = share * bent.mesh.mean_v[:, 0]
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.copy_(moved.flatten())
    return bent


def test_s2_goes_on_with_the_network_and_keeps_the_template(grown: Grown) -> None:
    first, _ = grown
    parents = {"s1": state_of(first.nets)}
    second, _ = trained("template", parents=parents)
    parents["template"] = state_of(second.nets)
    third = new_stage("s2", parents=parents)
    key = "body.features.merge.weight"
    assert third.mesh.get_parameter(key).equal(first.mesh.get_parameter(key))
    third.setup()
    third.step(batch(), minimise_with(third), 0)
    assert torch.equal(third.mesh.mean_v, second.mesh.mean_v)
    assert torch.equal(third.mesh.template_parts, second.mesh.template_parts)


def test_all_terms_of_s2_reach_the_network() -> None:
    config = replace(CONFIG, gan_weight=1.0, part_weight=5.0, flatten_weight=5e-4)
    stage, losses = trained("s2", config=config)
    named = {"mask", "smooth", "deform", "flat", "bend", "camera", "turn", "frame", "cycle", "off"}
    named |= {"texture", "entropy", "vertex", "seen parts", "seen zones", "parts", "gan"}
    assert set(losses) == named
    assert all(torch.isfinite(loss) for loss in losses.values())
    untouched = [name for name, p in stage.mesh.named_parameters() if p.grad is None]
    assert not untouched


def test_without_part_maps_silhouettes_must_do() -> None:
    stage = new_stage("s2")
    stage.setup()
    losses = stage.step(batch(parts=False), minimise_with(stage), 0)
    assert "vertex" not in losses
    held = stage.validate(batch(parts=False))
    assert "parts" not in held
    assert torch.isfinite(held["loss"])


def test_truth_is_no_training_signal() -> None:
    """Wrong cameras, vertices and keypoints change nothing."""
    rows = batch()
    lies = {key: torch.rand_like(rows[key]) for key in ("cameras", "vertices", "keypoints")}
    outcomes = []
    for given in (rows, {**rows, **lies}):
        stage = new_stage("s2")
        stage.setup()
        torch.manual_seed(1)
        outcomes.append(stage.step(given, minimise_with(stage), 0))
    assert all(outcomes[0][name].equal(outcomes[1][name]) for name in outcomes[0])


def test_the_papers_network_passes_through_stage_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texture, "_CHANNELS", (32, 32, 32, 32, 16, 8))
    stage = new_stage("flow", replace(CONFIG, backbone="paper", crop=64))
    assert stage.steps == 1
    assert not stage.optimizers
    assert stage.step(batch(), minimise_with(stage), 0)["loss"] == 0


@pytest.mark.parametrize("name", STAGES)
def test_validation_and_previews(name: str) -> None:
    stage, _ = trained(name)
    for net in stage.nets.values():
        net.eval()
    with torch.no_grad():
        losses, pictures = stage.validate(batch()), stage.preview(batch())
    assert {"loss", "iou", "degrees"} <= set(losses)
    sizes = {picture.shape[-1] for picture in pictures.values()}
    assert sizes == {32}
    assert ("texture" in pictures) == (name == "s2")


def test_silhouettes_grow_sharper() -> None:
    stage = new_stage("s2")
    assert stage.sigma(0, 100) == pytest.approx(CONFIG.sigma)
    assert stage.sigma(100, 100) == pytest.approx(CONFIG.last_sigma)


def test_the_papers_network_takes_the_template_over(
    grown: Grown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texture, "_CHANNELS", (32, 32, 32, 32, 16, 8))
    first, _ = grown
    config = replace(CONFIG, backbone="paper", crop=64)
    stage = new_stage("s2", config, {"s1": state_of(first.nets)})
    assert torch.equal(stage.mesh.mean_v, first.mesh.mean_v)
    assert len(icosphere().symmetrise(stage.mesh.mean_v)) == 642
