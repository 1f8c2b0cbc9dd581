"""Training: what learns, what each stage begins with, what can be asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from little_training import changed_parts, first_batch, new_trainer, one_step

import iid_residual
from iid_residual.networks.pipe import Pipe
from iid_residual.settings import ResidualConfig
from iid_residual.variants import DESIGNS
from intrinsic_cli.api import UsageError, WeightsError
from intrinsic_cli.kit.networks.checkpoint import save_weights, state_of
from intrinsic_cli.kit.networks.efficientnet import Encoder
from intrinsic_cli.settings import settle


@pytest.mark.parametrize(
    "design", [d for d in DESIGNS if d.residual and not d.adversary], ids=lambda d: d.name
)
def test_only_what_the_table_names_learns_where_the_base_is_given(design: Any) -> None:
    base = state_of(new_trainer("sfsnet").nets)
    variant = "" if design is DESIGNS[0] else design.name
    trainer = new_trainer(variant, parents={"init": base})
    before = state_of(trainer.nets)["pipe"]
    one_step(trainer)
    changed = changed_parts(before, state_of(trainer.nets)["pipe"])
    assert changed == set(design.learns)


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("crop=100", "crop must be a multiple of 32, not 100"),
        ("width=7", "width must be a multiple of 8, not 7"),
        ("width=-8", "width must be at least 0, not -8"),
    ],
)
def test_settings_that_no_network_can_have_are_refused(setting: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        settle(ResidualConfig, {}, (setting,))
    assert settle(ResidualConfig, {}, ("width=0", "crop=96")).width == 0


def test_skipnet_needs_more_than_one_little_face_at_a_time() -> None:
    config = iid_residual.iid_methods()[0].variant("skipnet").config
    with pytest.raises(UsageError, match="crop must be at least 64, or batch_size at least 2"):
        settle(config, {}, ("crop=32", "batch_size=1"))
    one_step(new_trainer("skipnet", crop=32, batch_size=2))
    one_step(new_trainer("skipnet", crop=64, batch_size=1))


def test_the_light_can_learn_alone() -> None:
    base = state_of(new_trainer().nets)
    trainer = new_trainer(parents={"init": base}, only="light", light_weight=3.0)
    before = state_of(trainer.nets)["pipe"]
    one_step(trainer)
    after = state_of(trainer.nets)["pipe"]
    assert changed_parts(before, after) == {"light_estimator_model", "shading_residual_model"}
    facing = [key for key in after if ".facing.tell.4." in key]
    assert facing
    assert all(not before[key].equal(after[key]) for key in facing)


def test_how_near_a_light_stays_to_its_prior_can_be_learned_alone() -> None:
    """Nine numbers; nothing is dropped meanwhile of what the prior is made of."""
    base = state_of(new_trainer().nets)
    trainer = new_trainer(parents={"init": base}, only="fit", lr=0.02)
    before = state_of(trainer.nets)["pipe"]
    one_step(trainer)
    after = state_of(trainer.nets)["pipe"]
    learned = [key for key, x in before.items() if not x.equal(after[key])]
    assert learned == ["light_estimator_model.fit.log_ridge"]
    network = trainer.nets["pipe"]
    assert not any(part.training for part in network.children())


def test_a_light_that_is_not_fitted_has_no_fit_to_learn() -> None:
    with pytest.raises(UsageError, match="sfsnet has no light fitted"):
        new_trainer("sfsnet", only="fit", backbone="paper", width=8)


@pytest.mark.parametrize("variant", ["latent", "skipnet"])
def test_what_has_no_light_estimator_cannot_teach_it_alone(variant: str) -> None:
    with pytest.raises(UsageError, match="no light estimator"):
        new_trainer(variant, only="light", backbone="paper", width=8)


def test_the_lights_loss_counts_as_often_as_asked() -> None:
    losses = [one_step(new_trainer(light_weight=weight))["light"] for weight in (1.0, 3.0)]
    assert float(losses[1]) == pytest.approx(3 * float(losses[0]))


def test_frozen_norms_keep_their_statistics() -> None:
    """Batch norms of the published backbone, in training mode."""
    base = state_of(new_trainer("sfsnet", backbone="paper").nets)
    trainer = new_trainer("albedo-residue", backbone="paper", parents={"init": base})
    network = trainer.nets["pipe"]
    assert isinstance(network, Pipe)
    before = state_of(trainer.nets)["pipe"]
    one_step(trainer)
    after = state_of(trainer.nets)["pipe"]
    assert changed_parts(before, after) == {"residual_model"}
    assert not network.conv_model.training
    assert network.get_submodule("residual_model").training


def test_all_learns_where_there_is_no_base() -> None:
    trainer = new_trainer("albedo-residue")
    before = state_of(trainer.nets)["pipe"]
    one_step(trainer)
    one_step(trainer, 1)
    parts = {name for name, _ in trainer.nets["pipe"].named_children()}
    assert changed_parts(before, state_of(trainer.nets)["pipe"]) == parts


def test_the_second_albedo_features_begin_as_the_first() -> None:
    base = state_of(new_trainer("sfsnet").nets)
    made = state_of(new_trainer("", parents={"init": base}).nets)["pipe"]
    name = "block.conv1.weight"
    assert made[f"albedo_residual_model_2.{name}"].equal(
        base["pipe"][f"albedo_residual_model.{name}"]
    )


def test_without_a_label_half_of_the_samples_count_as_photos_in_the_second_stage() -> None:
    first = state_of(new_trainer().nets)
    trainer = new_trainer(stage="real", parents={"synthetic": first})
    labels = [
        trainer._labelled(first_batch(trainer), n)["label"].flatten().tolist() for n in (0, 1)
    ]
    assert labels == [[0, 1], [1, 0]]
    assert trainer.steps == 4


def test_the_second_stage_begins_with_the_first_ones_network() -> None:
    first = state_of(new_trainer().nets)
    trainer = new_trainer(stage="real", parents={"synthetic": first})
    now = state_of(trainer.nets)
    assert all(x.equal(now["pipe"][key]) for key, x in first["pipe"].items())
    assert "loss" in trainer.validate(first_batch(trainer))


def test_reading_the_first_heads_is_for_heads() -> None:
    with pytest.raises(UsageError, match="read_first"):
        new_trainer(read_first=3)


def test_the_seeds_options_exist() -> None:
    (spec,) = iid_residual.iid_methods()
    names = set(spec.default.config.__dataclass_fields__)
    asked = {"batch_size", "steps", "lr", "weight_decay", "read_first", "details", "width"}
    assert asked <= names


def test_an_encoder_can_start_from_another_methods(tmp_path: Path) -> None:
    whole = Encoder()
    path = tmp_path / "other.safetensors"
    save_weights(path, {"encoder": whole.state_dict(), "rest": {}}, {})
    trainer = new_trainer(encoder=str(path))
    mine = trainer.nets["pipe"].get_submodule("conv_model.encoder").state_dict()
    assert 0 < len(mine) < len(whole.state_dict())
    assert all(x.equal(whole.state_dict()[key]) for key, x in mine.items())


def test_weights_without_an_encoder_are_told(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_weights(path, {"pipe": Encoder(1).state_dict()}, {})
    with pytest.raises(WeightsError, match="'encoder'"):
        new_trainer(encoder=str(path))
