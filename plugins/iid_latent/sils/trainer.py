"""Training of every variant of ``sils`` from photos and layers that do not belong together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim import AdamW, Optimizer

from iid_latent.shared.adversarial import AdversarialTrainer
from iid_latent.shared.camera import expose
from iid_latent.shared.discriminator import Discriminator
from iid_latent.shared.pictures import halve
from iid_latent.sils import terms
from iid_latent.sils.codes import Pass, run_all
from iid_latent.sils.collapse import require_apart
from iid_latent.sils.networks import Separator
from iid_latent.sils.settings import SilsConfig
from iid_latent.sils.source import source_of
from iid_latent.sils.tasks import task_of
from intrinsic_cli.api import Runtime, Source
from intrinsic_cli.kit.data.unpaired.parts import unpaired
from intrinsic_cli.kit.light.exposure import exposure
from intrinsic_cli.kit.networks.losses import masked_mean, scale_invariant_loss

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch, Split
    from intrinsic_cli.api.method import Minimise

#: Layers of discriminators and their scales: they look at pictures of 64 pixels, or of 16 in the
#: smallest crop.
_JUDGE = (3, 2)


class SilsTrainer(AdversarialTrainer):
    """One stage. A step first teaches the discriminators, then, with them frozen, the separator."""

    watch = "loss"
    inference = frozenset({"separator"})

    def __init__(self, config: SilsConfig, source: Source, runtime: Runtime) -> None:
        self._config, self._done = config, 0
        self._task = task_of(runtime.variant, config.layers)
        self._weights = config.term_weights(self._task.weights)
        self._source = source_of(self._task, source)
        pretrained = self._wants_pretrained(config.pretrained, runtime)
        self._separator = Separator(self._task.layers, config.width, pretrained)
        self._judges = {
            f"dis_{name}": Discriminator(config.dis_dim, *_JUDGE) for name in self._task.layers
        }
        self._begin({"separator": self._separator, **self._judges}, runtime)
        self.optimizers = self._make_optimizers()

    def _make_optimizers(self) -> dict[str, Optimizer]:
        c, separator = self._config, self._separator
        groups = [
            {
                "params": [*separator.heads.parameters(), *separator.decoders.parameters()],
                "lr": c.lr,
            },
            {"params": list(separator.trunk.parameters()), "lr": c.trunk_lr},
        ]
        judges = [p for judge in self._judges.values() for p in judge.parameters()]
        betas = (c.beta1, 0.999)
        return {
            "dis": AdamW(judges, c.dis_lr, betas, weight_decay=c.weight_decay),
            "gen": AdamW(groups, betas=betas, weight_decay=c.weight_decay),
        }

    def batches(self, split: Split, start: int = 0) -> Iterable[Batch]:
        c = self._config
        if split == "train":
            self._done = start
        names = ("photo", *self._task.layers)
        return unpaired(self._source, names, split, c.batch_size, c.crop, c.seed, start)

    def step(self, batch: Batch, minimise: Minimise, number: int) -> Mapping[str, Tensor]:
        blend, few = self._task.blend, max(1, round(len(batch["photo"]) * self._config.share))
        mixture, layers, mask = self._synthesise(batch)
        levels, level = exposure(mixture), exposure(batch["photo"][:few])
        photo = batch["photo"][:few]
        alone = [blend.see(layer[:few], levels[:few]) for layer in layers]
        made = run_all(self._separator, blend.see(photo, level), blend.see(mixture, levels), alone)
        truths = [blend.draw(layer, levels) for layer in layers]
        drawn = [blend.paint(raw) for raw in made.photo.raw]
        judged = self._teach_judges([truth[:few] for truth in truths], drawn, minimise)
        small = self._known(batch["photo_mask"][:few])
        losses = {
            "compose": terms.found(
                blend.error, [blend.paint(raw) for raw in made.mixture.raw], truths, mask
            ),
            "cycle": blend.error(blend.rebuild(drawn), blend.draw(photo, level), small).mean(),
            **self._latent(made, few),
            "auto": self._auto(made, batch, [truth[:few] for truth in truths]),
            "adversarial": terms.adversarial(
                list(self._judges.values()), [blend.judged(x) for x in drawn]
            ),
        }
        weights = asdict(self._weights)
        minimise(
            terms.total([weights[name] * loss for name, loss in losses.items() if weights[name]]),
            "gen",
        )
        self._freeze(False)
        self._done += 1
        return {name: loss.detach() for name, loss in losses.items()} | {"discriminator": judged}

    def _synthesise(self, batch: Batch) -> tuple[Tensor, list[Tensor], Tensor]:
        """Mixtures of unrelated exemplars [B,3,H,W], their layers, and what of them (half size) can
        be learned."""
        names = self._task.layers
        layers = [self._turned(batch[name], k) for k, name in enumerate(names)]
        mask = torch.stack(
            [self._turned(batch[f"{name}_mask"], k) for k, name in enumerate(names)]
        ).prod(0)
        photo, mask, gain = expose(self._task.blend.mix(layers), mask)
        return photo, [layer * gain for layer in layers], self._known(mask)

    def _turned(self, exemplars: Tensor, layer: int) -> Tensor:
        """Exemplars of a layer, once for every pairing; each layer is turned on by another number
        of places."""
        turns = range(min(self._config.pairings, len(exemplars)))
        return torch.cat([exemplars.roll(layer * turn, 0) for turn in turns])

    def _latent(self, made: Pass, few: int) -> dict[str, Tensor]:
        mixed = [[level[:few] for level in features] for features in made.mixture.features]
        apart = terms.independence(made.photo.features) + terms.independence(mixed)
        return {
            "shared": terms.shared_information(mixed, made.alone.features),
            "independence": apart / 2,
        }

    def _auto(self, made: Pass, batch: Batch, truths: Sequence[Tensor]) -> Tensor:
        blend = self._task.blend
        masks = [self._known(batch[f"{name}_mask"][: len(truths[0])]) for name in self._task.layers]
        drawn = [blend.paint(raw) for raw in made.alone.raw]
        return terms.total(
            [blend.error(x, y, m).mean() for x, y, m in zip(drawn, truths, masks, strict=True)]
        )

    def _teach_judges(
        self, real: Sequence[Tensor], drawn: Sequence[Tensor], minimise: Minimise
    ) -> Tensor:
        """One step of the discriminators, which are frozen afterwards. Without an adversarial term
        they learn on, as a record of how easily layers are told from exemplars."""
        self._freeze(False)
        judged = self._task.blend.judged
        loss = terms.discriminator(
            list(self._judges.values()), [judged(x) for x in real], [judged(x) for x in drawn]
        )
        minimise(loss, "dis")
        self._freeze(True)
        return loss.detach()

    def _known(self, mask: Tensor) -> Tensor:
        return (halve(mask) > 0.99).to(mask.dtype)

    def validate(self, batch: Batch) -> Mapping[str, Tensor]:
        """``loss`` needs no truth: exemplars found again in unseen mixtures, and photos rebuilt
        from their layers. Errors against the photo's own layers are shown where the dataset knows
        them, and choose nothing."""
        blend = self._task.blend
        mixture, layers, mask = self._synthesise(batch)
        level = exposure(mixture)
        truths = [blend.draw(layer, level) for layer in layers]
        drawn = self._separate(mixture, level)
        named = dict(zip(self._task.layers, zip(drawn, truths, strict=True), strict=True))
        if self._config.guard and self._done >= self._config.guard:
            require_apart(blend.draw(mixture, level), named)
        found = terms.found(blend.error, drawn, truths, mask)
        cycle, errors = self._real(batch)
        health = {f"{name} dB": self._psnr(*pair, mask) for name, pair in named.items()}
        return {"loss": found + cycle, "compose": found, "cycle": cycle, **health, **errors}

    def _real(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """How well photos are rebuilt from their layers, and scale-invariant errors of these where
        they are known."""
        blend, photo = self._task.blend, batch["photo"]
        level, mask = exposure(photo), self._known(batch["photo_mask"])
        drawn = self._separate(photo, level)
        cycle = blend.error(blend.rebuild(drawn), blend.draw(photo, level), mask).mean()
        errors = {}
        for name, picture in zip(self._task.layers, drawn, strict=True):
            if f"true {name}" in batch:
                linear = blend.linear(picture, level)
                errors[name] = scale_invariant_loss(
                    linear, halve(batch[f"true {name}"]), mask
                ).mean()
        return cycle, errors

    def _separate(self, photo: Tensor, level: Tensor) -> list[Tensor]:
        blend = self._task.blend
        return [blend.paint(raw) for raw in self._separator(blend.see(photo, level))]

    def _psnr(self, drawn: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
        """Of display values, dB, mean over the batch."""
        blend = self._task.blend
        error = blend.tone(blend.align(drawn, truth, mask)) - blend.tone(truth)
        return -10 * masked_mean(error.square(), mask).mean(1).clamp_min(1e-8).log10().mean()

    def preview(self, batch: Batch) -> Mapping[str, Tensor]:
        level, blend = exposure(batch["photo"]), self._task.blend
        drawn = self._separate(batch["photo"], level)
        columns = {"photo": batch["photo"]}
        for name, picture in zip(self._task.layers, drawn, strict=True):
            columns[name] = F.interpolate(
                blend.linear(picture, level), scale_factor=2, mode="bilinear"
            )
            columns |= {f"true {name}": x for x in [batch.get(f"true {name}")] if x is not None}
        return columns
