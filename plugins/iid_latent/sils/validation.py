"""How well layers are separated on held-out photos and mixtures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from iid_latent.shared.log_images import half_size
from iid_latent.sils import terms
from iid_latent.sils.degenerate import require_distinct_layers
from iid_latent.sils.layer_model import LayerModel
from iid_latent.sils.networks import Separator
from iid_latent.sils.training_batch import Mixtures, known
from intrinsic_cli.kit.light.exposure import exposure
from intrinsic_cli.kit.networks.losses import masked_mean, scale_invariant_loss

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch


class Validation:
    """Scores of one batch; ``guarded``: TrainingError where layers have collapsed."""

    def __init__(self, model: LayerModel, separator: Separator, guarded: bool) -> None:
        self._model, self._separator, self._guarded = model, separator, guarded
        self._composition = model.composition

    def losses(self, batch: Batch, mixtures: Mixtures) -> dict[str, Tensor]:
        """By name: ``loss``, its parts ``compose`` and ``cycle``, PSNR of every layer of the
        mixtures, and errors of the photo's layers where they are known."""
        target = self._composition.target
        truths = [target(layer, mixtures.level) for layer in mixtures.layers]
        drawn = self._separate(mixtures.photo, mixtures.level)
        if self._guarded:
            layers = dict(zip(self._model.layers, zip(drawn, truths, strict=True), strict=True))
            require_distinct_layers(target(mixtures.photo, mixtures.level), layers)
        found = terms.found(self._composition.error, drawn, truths, mixtures.mask)
        level = exposure(batch["photo"])
        of_photo = self._separate(batch["photo"], level)
        cycle = self._cycle(batch, of_photo, level)
        return {
            "loss": found + cycle,
            "compose": found,
            "cycle": cycle,
            **self._decibels(drawn, truths, mixtures.mask),
            **self._errors(batch, of_photo, level),
        }

    def _separate(self, photo: Tensor, level: Tensor) -> list[Tensor]:
        raw = self._separator(self._composition.encoder_input(photo, level))
        return [self._composition.activate(one) for one in raw]

    def _cycle(self, batch: Batch, drawn: list[Tensor], level: Tensor) -> Tensor:
        """How well photos are rebuilt from their layers."""
        mask = known(batch["photo_mask"])
        rebuilt = self._composition.compose_drawn(drawn)
        truth = self._composition.target(batch["photo"], level)
        return self._composition.error(rebuilt, truth, mask).mean()

    def _errors(self, batch: Batch, drawn: Sequence[Tensor], level: Tensor) -> dict[str, Tensor]:
        """Scale-invariant, of the layers that the dataset knows."""
        mask = known(batch["photo_mask"])
        errors = {}
        for name, layer in zip(self._model.layers, drawn, strict=True):
            if f"true {name}" not in batch:
                continue
            linear = self._composition.to_linear(layer, level)
            truth = half_size(batch[f"true {name}"])
            errors[name] = scale_invariant_loss(linear, truth, mask).mean()
        return errors

    def _decibels(
        self, drawn: Sequence[Tensor], truths: Sequence[Tensor], mask: Tensor
    ) -> dict[str, Tensor]:
        """PSNR of display values, mean over the batch."""
        decibels = {}
        for name, guess, truth in zip(self._model.layers, drawn, truths, strict=True):
            aligned = self._composition.align(guess, truth, mask)
            difference = self._composition.to_display(aligned) - self._composition.to_display(truth)
            error = masked_mean(difference.square(), mask).mean(1)
            decibels[f"{name} dB"] = -10 * error.clamp_min(1e-8).log10().mean()
        return decibels
