"""A step in the right order, and what the guard and the settings do."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from iid_latent.sils.layer_model import layer_model_of
from iid_latent.sils.settings import SilsConfig
from iid_latent.sils.trainer import SilsTrainer
from iid_latent.sils.training_batch import synthesise
from intrinsic_cli.api import DataError, Runtime, TrainingError
from intrinsic_cli.kit.data.synth.scenes import open_synth

_SMALL = SilsConfig(steps=2, batch_size=2, crop=32, pretrained="no", width=8, dis_dim=4)
_TERMS = {"compose", "cycle", "shared", "independence", "auto", "adversarial", "discriminator"}


def _trainer(variant: str = "", config: SilsConfig = _SMALL) -> SilsTrainer:
    torch.manual_seed(0)
    runtime = Runtime(torch.device("cpu"), variant=variant)
    return SilsTrainer(layer_model_of(variant), config, open_synth(), runtime)


class Recorder:
    """Minimises as the house does, and remembers the discriminators' gradients."""

    def __init__(self, trainer: SilsTrainer) -> None:
        self.trainer, self.order = trainer, list[str]()
        self.slopes: dict[str, list[Tensor]] = {}

    def __call__(self, loss: Tensor, name: str) -> None:
        self.order.append(name)
        self.trainer.optimizers[name].zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        self.slopes[name] = [p.grad.clone() for p in self._discriminators() if p.grad is not None]
        self.trainer.optimizers[name].step()

    def _discriminators(self) -> list[torch.nn.Parameter]:
        return [
            p
            for name, net in self.trainer.nets.items()
            if name.startswith("dis_")
            for p in net.parameters()
        ]


@pytest.mark.parametrize("variant", ["", "reflection", "three"])
def test_a_step_teaches_discriminators_then_the_separator(variant: str) -> None:
    trainer = _trainer(variant)
    recorder = Recorder(trainer)
    losses = trainer.step(next(iter(trainer.batches("train"))), recorder, 0)
    assert recorder.order == ["dis", "gen"]
    assert losses.keys() == _TERMS
    assert all(bool(torch.isfinite(loss)) and not loss.requires_grad for loss in losses.values())
    assert recorder.slopes["dis"]
    assert all(map(torch.equal, recorder.slopes["dis"], recorder.slopes["gen"]))
    assert all(p.requires_grad for net in trainer.nets.values() for p in net.parameters())


@pytest.mark.parametrize(
    "term", ["compose", "cycle", "shared", "auto", "independence", "adversarial"]
)
def test_every_term_alone_moves_the_separator(term: str) -> None:
    weights = dict.fromkeys(
        ("compose", "cycle", "shared", "auto", "independence", "adversarial"), 0.0
    )
    trainer = _trainer("reflection", replace(_SMALL, **(weights | {term: 1.0})))
    trainer.step(next(iter(trainer.batches("train"))), Recorder(trainer), 0)
    slopes = [p.grad for p in trainer.nets["separator"].parameters() if p.grad is not None]
    assert any(bool(slope.any()) for slope in slopes)


def test_layers_needed_come_from_the_dataset_or_from_mixtures() -> None:
    batch = next(iter(_trainer("three").batches("val")))
    assert {
        "photo",
        "transmission",
        "reflection",
        "flare",
        "flare_mask",
        "true flare",
    } <= batch.keys()
    assert {"albedo", "shading_mask", "true albedo"} <= next(iter(_trainer().batches("val"))).keys()


def test_exemplars_meet_several_partners() -> None:
    trainer = _trainer("", replace(_SMALL, batch_size=3, pairings=2))
    batch = next(iter(trainer.batches("train")))
    made = synthesise(layer_model_of(""), batch, pairings=2)
    albedo, shading = made.layers
    assert len(made.photo) == len(albedo) == len(shading) == len(made.mask) == 6
    for part, (paint, light) in enumerate([(0, 0), (1, 1), (2, 2), (0, 2), (1, 0), (2, 1)]):
        assert _proportional(albedo[part], batch["albedo"][paint])
        assert _proportional(shading[part], batch["shading"][light])


def _proportional(one: Tensor, other: Tensor) -> bool:
    cosine = (one * other).sum() / (one.norm() * other.norm())
    return float(cosine) > 1 - 1e-5


class Bare:
    """A dataset of photos alone."""

    name, protocol, offers = "bare", "photos", frozenset({"photo", "mask"})


def test_layers_that_nobody_has() -> None:
    with pytest.raises(DataError, match="bare has no albedo and no shading"):
        SilsTrainer(layer_model_of(""), _SMALL, Bare(), Runtime(torch.device("cpu")))  # type: ignore[arg-type]  # deliberately too little


def _validate(trainer: SilsTrainer) -> Mapping[str, Tensor]:
    torch.manual_seed(1)
    with torch.no_grad():
        return trainer.validate(next(iter(trainer.batches("val"))))


@pytest.mark.parametrize("variant", ["", "three"])
def test_losses_and_columns(variant: str) -> None:
    trainer = _trainer(variant)
    losses = _validate(trainer)
    assert trainer.watch in losses
    assert all(bool(torch.isfinite(x)) for x in losses.values())
    names = ("transmission", "reflection", "flare") if variant else ("albedo", "shading")
    assert {f"{name} dB" for name in names} <= losses.keys()
    assert set(names) <= losses.keys()
    with torch.no_grad():
        columns = trainer.preview(next(iter(trainer.batches("val"))))
    assert {*names, *(f"true {name}" for name in names)} <= columns.keys()
    assert {x.shape for x in columns.values()} == {columns["photo"].shape}


@pytest.mark.parametrize("variant", ["", "reflection"])
def test_the_guard_stops_a_dead_layer_only_after_a_while(variant: str) -> None:
    trainer = _trainer(variant, replace(_SMALL, guard=2))
    batch = next(iter(trainer.batches("train")))
    dead = trainer.nets["separator"].decoders["reflection" if variant else "shading"].exit  # type: ignore[union-attr]  # modules hide what they hold
    torch.nn.init.zeros_(dead.weight)  # type: ignore[arg-type, union-attr]
    _validate(trainer)
    for number in range(2):
        trainer.step(batch, lambda loss, name: None, number)
    with pytest.raises(
        TrainingError, match="shading is flat" if not variant else "reflection is flat"
    ):
        _validate(trainer)


def test_the_guard_lets_living_layers_be() -> None:
    trainer = _trainer("", replace(_SMALL, guard=1, batch_size=1))
    trainer.step(next(iter(trainer.batches("train"))), lambda loss, name: None, 0)
    _validate(trainer)
