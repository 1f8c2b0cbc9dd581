"""Training of every variant of ``sils`` from photos and layers that do not belong together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from torch import Tensor, nn
from torch.nn import functional
from torch.optim import AdamW, Optimizer

from iid_latent.shared.adversarial import AdversarialTrainer
from iid_latent.shared.discriminator import Discriminator
from iid_latent.sils import terms
from iid_latent.sils.forward_pass import ForwardPass, run_separator
from iid_latent.sils.layer_model import LayerModel
from iid_latent.sils.networks import Separator
from iid_latent.sils.settings import SilsConfig
from iid_latent.sils.source import source_of
from iid_latent.sils.training_batch import Mixtures, Photos, known, photos_of, synthesise
from iid_latent.sils.validation import Validation
from intrinsic_cli.api import Runtime, Source
from intrinsic_cli.kit.data.unpaired.parts import unpaired
from intrinsic_cli.kit.light.exposure import exposure

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch, Split
    from intrinsic_cli.api.method import Minimise

#: Layers of discriminators and their scales: they look at images of 64 pixels, or of 16 in the
#: smallest crop.
_DISCRIMINATOR = (3, 2)


class SilsTrainer(AdversarialTrainer):
    """One stage. A step first teaches the discriminators, then, with them frozen, the separator."""

    watch = "loss"
    inference = frozenset({"separator"})

    def __init__(
        self, model: LayerModel, config: SilsConfig, source: Source, runtime: Runtime
    ) -> None:
        self._config, self._model = config, model
        self._composition = model.composition
        self._weights = config.term_weights(model.weights)
        self._source = source_of(model, source)
        self._steps_done = 0
        pretrained = self._wants_pretrained(config.pretrained, runtime)
        self._separator = Separator(model.layers, config.width, pretrained)
        self._discriminators: dict[str, nn.Module] = {}
        for name in model.layers:
            self._discriminators[f"dis_{name}"] = Discriminator(config.dis_dim, *_DISCRIMINATOR)
        self._take({"separator": self._separator, **self._discriminators}, runtime)
        self.optimizers = self._make_optimizers()

    def _make_optimizers(self) -> dict[str, Optimizer]:
        c, separator = self._config, self._separator
        heads = [*separator.heads.parameters(), *separator.decoders.parameters()]
        backbone = list(separator.trunk.parameters())
        groups = [{"params": heads, "lr": c.lr}, {"params": backbone, "lr": c.backbone_lr}]
        discriminators = nn.ModuleList(self._discriminators.values()).parameters()
        betas = (c.beta1, 0.999)
        return {
            "dis": AdamW(discriminators, c.dis_lr, betas, weight_decay=c.weight_decay),
            "gen": AdamW(groups, betas=betas, weight_decay=c.weight_decay),
        }

    def batches(self, split: Split, start: int = 0) -> Iterable[Batch]:
        c = self._config
        names = ("photo", *self._model.layers)
        return unpaired(self._source, names, split, c.batch_size, c.crop, c.seed, start)

    def step(self, batch: Batch, minimise: Minimise, number: int) -> Mapping[str, Tensor]:
        photos = photos_of(batch, self._config.share)
        mixtures = synthesise(self._model, batch, self._config.pairings)
        made = self._forward(photos, mixtures)
        drawn = self._activated(made.photo.raw)
        targets = self._targets(mixtures)
        exemplars = [target[: len(photos.image)] for target in targets]
        told_apart = self._train_discriminators(exemplars, drawn, minimise)
        losses = {
            "compose": self._compose_loss(made, targets, mixtures.mask),
            "cycle": self._cycle_loss(drawn, photos),
            **self._latent_losses(made, len(photos.image)),
            "auto": self._auto_loss(made, batch, exemplars),
            "adversarial": self._adversarial_loss(drawn),
        }
        minimise(self._weighted(losses), "gen")
        self._freeze_discriminators(False)
        self._steps_done = number + 1
        losses["discriminator"] = told_apart
        return {name: loss.detach() for name, loss in losses.items()}

    def _forward(self, photos: Photos, mixtures: Mixtures) -> ForwardPass:
        """Photos, mixtures, and as many exemplars of every layer alone as there are photos."""
        few = len(photos.image)
        encode = self._composition.encoder_input
        alone = [encode(layer[:few], mixtures.level[:few]) for layer in mixtures.layers]
        of_photos = encode(photos.image, photos.level)
        of_mixtures = encode(mixtures.photo, mixtures.level)
        return run_separator(self._separator, of_photos, of_mixtures, alone)

    def _targets(self, mixtures: Mixtures) -> list[Tensor]:
        """The exemplars as they should be drawn."""
        target = self._composition.target
        return [target(layer, mixtures.level) for layer in mixtures.layers]

    def _activated(self, raw: Sequence[Tensor]) -> list[Tensor]:
        return [self._composition.activate(one) for one in raw]

    def _compose_loss(self, made: ForwardPass, targets: Sequence[Tensor], mask: Tensor) -> Tensor:
        guesses = self._activated(made.mixture.raw)
        return terms.found(self._composition.error, guesses, targets, mask)

    def _cycle_loss(self, drawn: list[Tensor], photos: Photos) -> Tensor:
        rebuilt = self._composition.compose_drawn(drawn)
        truth = self._composition.target(photos.image, photos.level)
        return self._composition.error(rebuilt, truth, photos.mask).mean()

    def _latent_losses(self, made: ForwardPass, few: int) -> dict[str, Tensor]:
        mixed = [[level[:few] for level in features] for features in made.mixture.features]
        apart = terms.independence(made.photo.features) + terms.independence(mixed)
        return {
            "shared": terms.shared_information(mixed, made.alone.features),
            "independence": apart / 2,
        }

    def _auto_loss(self, made: ForwardPass, batch: Batch, targets: Sequence[Tensor]) -> Tensor:
        drawn = self._activated(made.alone.raw)
        losses = []
        for name, guess, truth in zip(self._model.layers, drawn, targets, strict=True):
            mask = batch[f"{name}_mask"][: len(truth)]
            error = self._composition.error(guess, truth, known(mask))
            losses.append(error.mean())
        return terms.total(losses)

    def _adversarial_loss(self, drawn: Sequence[Tensor]) -> Tensor:
        inputs = [self._composition.discriminator_input(x) for x in drawn]
        return terms.adversarial(list(self._discriminators.values()), inputs)

    def _weighted(self, losses: Mapping[str, Tensor]) -> Tensor:
        """Terms of weight 0 are left out, so that they cannot spoil the sum."""
        weights = asdict(self._weights)
        counted = [name for name in losses if weights[name]]
        return terms.total([weights[name] * losses[name] for name in counted])

    def _train_discriminators(
        self, real: Sequence[Tensor], drawn: Sequence[Tensor], minimise: Minimise
    ) -> Tensor:
        """One step of the discriminators, which are frozen afterwards. Without an adversarial term
        they learn on, as a record of how easily layers are told from exemplars."""
        self._freeze_discriminators(False)
        prepare = self._composition.discriminator_input
        discriminators = list(self._discriminators.values())
        real_inputs = [prepare(x) for x in real]
        drawn_inputs = [prepare(x) for x in drawn]
        loss = terms.discriminator(discriminators, real_inputs, drawn_inputs)
        minimise(loss, "dis")
        self._freeze_discriminators(True)
        return loss.detach()

    def validate(self, batch: Batch) -> Mapping[str, Tensor]:
        """``loss`` needs no truth: exemplars found again in unseen mixtures, and photos rebuilt
        from their layers. Errors against the photo's own layers are shown where the dataset knows
        them, and choose nothing."""
        guard = self._config.guard
        watched = guard > 0 and self._steps_done >= guard
        validation = Validation(self._model, self._separator, watched)
        mixtures = synthesise(self._model, batch, self._config.pairings)
        return validation.losses(batch, mixtures)

    def preview(self, batch: Batch) -> Mapping[str, Tensor]:
        photo = batch["photo"]
        level = exposure(photo)
        raw = self._separator(self._composition.encoder_input(photo, level))
        columns = {"photo": photo}
        for name, layer in zip(self._model.layers, self._activated(raw), strict=True):
            linear = self._composition.to_linear(layer, level)
            columns[name] = functional.interpolate(linear, scale_factor=2, mode="bilinear")
            if f"true {name}" in batch:
                columns[f"true {name}"] = batch[f"true {name}"]
        return columns
