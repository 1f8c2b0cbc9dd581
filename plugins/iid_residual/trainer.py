"""The one trainer of all variants: stage ``synthetic`` on rendered faces with all their truth, then
stage ``real``, where photos without truth get the first stage's answers as labels (SfSNet's
"SfS-supervision")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from iid_residual.adversary import Adversary
from iid_residual.data.source import FaceSource, require_truth
from iid_residual.domain import Domain, compared
from iid_residual.harmonics import vectors_to_house
from iid_residual.networks import lite
from iid_residual.networks.pipe import Conventions, Network, Prediction, build, follow
from iid_residual.networks.state import CONVENTIONS, PIPE, kind_and_width
from iid_residual.settings import ResidualConfig
from iid_residual.terms import measures, outline_loss, residual_losses, table_losses, total
from iid_residual.truth import Truth, truth_of, with_pseudo_labels
from iid_residual.variants import Design, design_of
from intrinsic_cli.api import Runtime, Source, Trainer, UsageError
from intrinsic_cli.kit.networks.checkpoint import load_into, load_weights, require_net
from intrinsic_cli.kit.networks.device import place
from intrinsic_cli.kit.networks.efficientnet import load_imagenet, pretrained_wanted

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch, Split
    from intrinsic_cli.api.method import Minimise, NetState

REAL = "real"
ENCODER = "encoder"
_WIDTHS = {"lite": lite.WIDTH, "paper": 32, "skip": 16}
#: By the setting ``only``: the part that learns, and what people call it.
_ALONE = {
    "light": ("light_estimator_model", "light estimator"),
    "fit": ("light_estimator_model.fit", "light fitted to its shading"),
}


class ResidualTrainer(Trainer):
    """One stage of one variant. Its design says what is computed, compared and learned."""

    watch = "loss"
    inference = frozenset({PIPE, CONVENTIONS})

    def __init__(
        self, stage: str, config: ResidualConfig, source: Source, runtime: Runtime
    ) -> None:
        self._config, self._design = config, design_of(runtime.variant)
        self._source = first_of(source, config.read_first)
        self._real = stage == REAL
        if not self._real:
            require_truth(source, stage)
        self.steps = config.real_steps if self._real else 0
        width = width_of(config, self._design, _given(runtime))
        self._network = build(self._design, _backbone(config), width)
        self._conventions = Conventions()
        self.nets: dict[str, nn.Module] = {PIPE: self._network, CONVENTIONS: self._conventions}
        self._adversary = self._make_adversary()
        self._begin(runtime)
        self._teacher = deepcopy(self._network).eval() if self._real else None
        self._freeze(runtime)
        self.optimizers = self._make_optimizers()

    def _make_adversary(self) -> Adversary | None:
        design = self._design
        if not design.adversary:
            return None
        steps = self.steps or self._config.steps
        adversary = Adversary(design, self._config.dis_width, steps)
        self.nets["discriminator"] = adversary.network
        return adversary

    def _begin(self, runtime: Runtime) -> None:
        """The weights the stage starts from, on the device."""
        given = _given(runtime)
        if PIPE in given:
            _take_over(self._network, given)
        else:
            self._take_encoder()
        for name in self.nets.keys() & given.keys() - {PIPE}:
            load_into(self.nets[name], given, name)
        follow(self._network, self._conventions)
        for net in self.nets.values():
            place(net, runtime.device)

    def _take_encoder(self) -> None:
        """Let the encoder, where there is one, start from weights that know pictures."""
        for part in self._network.modules():
            if not isinstance(part, lite.Entrance):
                continue
            if self._config.encoder:
                _load_encoder(part.encoder, Path(self._config.encoder))
            elif pretrained_wanted(self._config.pretrained):
                load_imagenet(part.encoder)
            elif self._config.pretrained == "auto":
                told = (
                    "the encoder starts from nothing: the extra 'pretrained' would bring ImageNet"
                )
                self.notes = (f"{told} weights",)

    def _freeze(self, runtime: Runtime) -> None:
        """Only what the variant trains, where the base is there already."""
        choice = self._config.freeze
        init = runtime.parents.get("init", {})
        is_base = self._design.name in ("sfsnet", "skipnet")
        given = PIPE in init and not is_base
        if self._config.only:
            self._network.freeze(self._lighting(self._config.only))
        elif choice == "yes" or (choice == "auto" and given):
            self._network.freeze(self._design.learns)

    def _lighting(self, only: str) -> frozenset[str]:
        """What ``only`` lets learn; beside the light estimator the residual that is added to its
        shading. UsageError for a network without them."""
        design, (learning, what) = self._design, _ALONE[only]
        parts = {name for name, _ in self._network.named_modules()}
        if learning not in parts:
            message = f"{design.name} has no {what} that could learn alone"
            raise UsageError(message, f"leave only={only} out")
        added = {design.residual} if design.adds and only == "light" else set()
        return frozenset({learning, *added})

    def _make_optimizers(self) -> dict[str, Optimizer]:
        c = self._config
        encoder: list[nn.Parameter] = []
        others: list[nn.Parameter] = []
        for name, numbers in self._network.named_parameters():
            if numbers.requires_grad:
                group = encoder if ".encoder." in name else others
                group.append(numbers)
        groups = [{"params": others, "lr": c.lr}, {"params": encoder, "lr": c.encoder_lr}]
        groups = [group for group in groups if group["params"]]
        optimizers: dict[str, Optimizer] = {PIPE: AdamW(groups, weight_decay=c.weight_decay)}
        if self._adversary:
            opponent = self._adversary.network.parameters()
            optimizers["discriminator"] = AdamW(opponent, c.dis_lr, (0.5, 0.999), weight_decay=0)
        return optimizers

    def batches(self, split: Split, start: int = 0) -> Iterable[Batch]:
        c = self._config
        return self._source.batches(split, c.batch_size, c.crop, c.seed, start)

    def step(self, batch: Batch, minimise: Minimise, number: int) -> Mapping[str, Tensor]:
        batch = self._labelled(batch, number)
        made, truth = self._answer(batch)
        losses = self._losses(made, truth)
        if self._adversary:
            shown = self._adversary.teach(
                compared(made.albedo), compared(truth.albedo), truth.lit, minimise, number
            )
            losses |= self._adversary.losses(compared(made.albedo), number)
            losses = self._adversary.those_of_now(losses, number)
        else:
            shown = {}
        minimise(total(losses), PIPE)
        if self._adversary:
            self._adversary.release()
        return {name: loss.detach() for name, loss in losses.items()} | shown

    def _labelled(self, batch: Batch, number: int) -> Batch:
        """In stage ``real``, where a dataset has no photos without truth, every other sample is
        taken for one."""
        photo = batch["photo"]
        without_truth = "label" in batch and not bool(batch["label"].all())
        if not self._real or without_truth:
            return batch
        places = torch.arange(len(photo), device=photo.device)
        label = (places + number) % 2
        return {**batch, "label": label.to(photo.dtype)[:, None]}

    def _answer(self, batch: Batch) -> tuple[Prediction, Truth]:
        """What the network says of a batch, and what it should say."""
        domain = Domain.of(batch["photo"], bool(self._conventions.srgb))
        seen = domain.seen(batch["photo"])
        made: Prediction = self._network(seen)
        truth = truth_of(batch, domain, (made.albedo.shape[-2], made.albedo.shape[-1]))
        if self._teacher is not None:
            with torch.no_grad():
                truth = with_pseudo_labels(truth, self._teacher(seen))
        return made, truth

    def _losses(self, made: Prediction, truth: Truth) -> dict[str, Tensor]:
        c = self._config
        losses = table_losses(self._design, made, truth)
        losses["albedo"] = c.albedo_weight * losses["albedo"]
        if "light" in losses:
            losses["light"] = c.light_weight * losses["light"]
        losses |= residual_losses(made, truth, c.residual_weight, c.smooth_weight)
        losses |= outline_loss(made, truth, c.mask_weight)
        if not torch.is_grad_enabled():
            return losses
        # What frozen parts say teaches nothing.
        return {name: loss for name, loss in losses.items() if loss.requires_grad}

    def validate(self, batch: Batch) -> Mapping[str, Tensor]:
        teacher, self._teacher = self._teacher, None
        made, truth = self._answer(batch)
        self._teacher = teacher
        losses = self._losses(made, truth)
        return {"loss": total(losses), **measures(made, truth)}

    def preview(self, batch: Batch) -> Mapping[str, Tensor]:
        domain = Domain.of(batch["photo"], bool(self._conventions.srgb))
        made: Prediction = self._network(domain.seen(batch["photo"]))
        columns = {
            "photo": batch["photo"],
            "rebuilt": domain.albedo(made.albedo) * domain.shading(made.shading),
            "albedo": domain.albedo(made.albedo),
            "true albedo": batch["albedo"],
            "shading": domain.shading(made.shading),
            "true shading": batch["shading"],
            "normals": (vectors_to_house(made.normals) + 1) / 2,
            "true normals": (batch["normals"] + 1) / 2,
        }
        size = (batch["photo"].shape[-2], batch["photo"].shape[-1])
        return {
            name: nn.functional.interpolate(picture, size=size, mode="bilinear")
            for name, picture in columns.items()
        }


def width_of(config: ResidualConfig, design: Design, given: NetState) -> int:
    """The width asked for, or that of the weights the stage begins with, or the backbone's own."""
    if config.width:
        return config.width
    if design.skip:
        return _WIDTHS["skip"]
    if PIPE in given:
        backbone, width = kind_and_width(given[PIPE])
        if backbone == config.backbone:
            return width
    return _WIDTHS[config.backbone]


def first_of(source: Source, count: int) -> Source:
    """The source with its first ``count`` faces only; -1 = all. UsageError where it is no dataset
    of faces."""
    if count < 1:
        return source
    if not isinstance(source, FaceSource):
        raise UsageError(f"read_first is for datasets of faces, not {source.name}", "try --steps N")
    return source.first(count)


def _backbone(config: ResidualConfig) -> Any:
    return config.backbone


def _given(runtime: Runtime) -> NetState:
    """What the stage begins with: the stage before it, or else the weights of ``--init``."""
    parents = runtime.parents
    return parents.get("synthetic") or parents.get("init") or {}


def _load_encoder(encoder: nn.Module, path: Path) -> None:
    """The first parts of a network ``encoder`` of the same kind, of which ours may be shorter."""
    state, _ = load_weights(path)
    require_net(state, ENCODER)
    theirs = state[ENCODER]
    shorter = {key: theirs[key] for key in encoder.state_dict() if key in theirs}
    load_into(encoder, {ENCODER: shorter}, ENCODER)


def _take_over(network: Network, given: NetState) -> None:
    """All of a network of the same variant; of another variant, the parts both have. A second set
    of albedo features begins as a copy of the first."""
    theirs = given[PIPE]
    mine = network.state_dict()
    if mine.keys() == theirs.keys():
        load_into(network, given, PIPE)
        return
    second, first = "albedo_residual_model_2.", "albedo_residual_model."
    for key in mine:
        source = key if key in theirs else key.replace(second, first)
        if source in theirs and theirs[source].shape == mine[key].shape:
            mine[key] = theirs[source]
    network.load_state_dict(mine)
