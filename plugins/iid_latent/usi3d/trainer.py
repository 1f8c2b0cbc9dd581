"""Training of every variant of ``usi3d`` from photos, albedos and shadings that do not belong
together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.optim import Adam, AdamW, Optimizer

from iid_latent.settings import OWN
from iid_latent.shared.adversarial import AdversarialTrainer
from iid_latent.shared.camera import expose
from iid_latent.usi3d import terms
from iid_latent.usi3d.build import INFERENCE, build
from iid_latent.usi3d.canvas import Canvas, EncodedCanvas, LogCanvas
from iid_latent.usi3d.domains import Nets
from iid_latent.usi3d.health import require_alive
from iid_latent.usi3d.original.smoothness import smoothness
from iid_latent.usi3d.settings import Usi3dConfig
from intrinsic_cli.api import Runtime, Source
from intrinsic_cli.kit.data.unpaired.parts import unpaired
from intrinsic_cli.kit.networks.losses import scale_invariant_loss

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch, Split
    from intrinsic_cli.api.method import Minimise

_COLLECTIONS = ("photo", "albedo", "shading")
#: The published learning rate is 1e-4, a tenth of the default variant's.
_PUBLISHED_RATE = 0.1
_BETAS = (0.5, 0.999)


class Usi3dTrainer(AdversarialTrainer):
    """One stage. A step first teaches the discriminators, then, with them frozen, everything
    else."""

    watch = "loss"

    def __init__(self, config: Usi3dConfig, source: Source, runtime: Runtime) -> None:
        self._config, self._source, self._variant = config, source, runtime.variant
        self._weights = config.loss_weights(runtime.variant)
        self._canvas: Canvas = EncodedCanvas() if runtime.variant else LogCanvas()
        pretrained = not runtime.variant and self._wants_pretrained(config.pretrained, runtime)
        self._begin(build(runtime.variant, config, pretrained), runtime)
        self.inference = INFERENCE
        self._judges: dict[str, nn.Module] = {"r": self.nets["dis_r"], "s": self.nets["dis_s"]}
        nets: dict[str, Any] = dict(self.nets)  # modules hide what they can do
        self._generators = Nets(
            nets["gen_i"],
            nets["gen_r"],
            nets["gen_s"],
            nets["fea_s"],
            nets["fea_m"],
            self._canvas.shrink,
        )
        self.optimizers = self._make_optimizers()

    def _make_optimizers(self) -> dict[str, Optimizer]:
        c = self._config
        sides = {"gen": ("gen_i", "gen_r", "gen_s", "fea_s", "fea_m"), "dis": ("dis_r", "dis_s")}
        own = {
            side: [p for name in names for p in self.nets[name].parameters()]
            for side, names in sides.items()
        }
        if self._variant:
            rate = c.lr * _PUBLISHED_RATE
            return {
                side: Adam(weights, rate, _BETAS, weight_decay=1e-4)
                for side, weights in own.items()
            }
        trunk = list(self.nets["gen_i"].trunk.parameters())  # type: ignore[union-attr]  # modules hide what they hold
        held = {id(p) for p in trunk}
        rest = [p for p in own["gen"] if id(p) not in held]
        groups = [{"params": rest, "lr": c.lr}, {"params": trunk, "lr": c.trunk_lr}]
        return {
            "gen": AdamW(groups, betas=(0.8, 0.99), weight_decay=c.weight_decay),
            "dis": AdamW(own["dis"], c.dis_lr, betas=_BETAS, weight_decay=c.weight_decay),
        }

    def batches(self, split: Split, start: int = 0) -> Iterable[Batch]:
        c = self._config
        return unpaired(self._source, _COLLECTIONS, split, c.batch_size, c.crop, c.seed, start)

    def step(self, batch: Batch, minimise: Minimise, number: int) -> Mapping[str, Tensor]:
        groups: terms.Terms = {}
        few = self._few(batch)
        w = self._weights
        if any(weight for name, weight in asdict(w).items() if name != "compose"):
            pictures = self._pictures(few)
            codes = terms.encode(self._generators, *pictures)
            drawn = self._draw(codes.z_i)
            made = terms.translate(self._generators, codes, *drawn)
            if w.adversarial:
                groups["discriminator"] = self._teach_judges(pictures, made, minimise)
                groups["adversarial"] = terms.adversarial(self._judges, made)
            groups |= terms.consistency(self._generators, pictures, codes, made, drawn)
            mask = self._canvas.mask(few["photo_mask"])
            groups["physical"] = self._canvas.physical(self._canvas.shrink(pictures[0]), made, mask)
            groups["divergence"] = terms.prior_divergence(codes)
            if w.smoothness:
                groups["smoothness"] = {
                    "ri": smoothness(made["ri"], self._canvas.coded(pictures[0]))
                }
        if w.compose:
            groups["compose"] = self._composed(batch)
        totals = {name: torch.stack(list(group.values())).sum() for name, group in groups.items()}
        kept = [
            getattr(w, name) * total for name, total in totals.items() if name != "discriminator"
        ]
        minimise(torch.stack(kept).sum(), "gen")
        self._freeze(False)
        return {name: total.detach() for name, total in totals.items()}

    def _few(self, batch: Batch) -> Batch:
        """The part of the batch that goes through the paper's terms."""
        size = len(batch["photo"])
        count = size if self._variant else max(1, round(size * self._config.share))
        return {name: x[:count] for name, x in batch.items()}

    def _pictures(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        canvas = self._canvas
        return (
            canvas.photo(batch["photo"]),
            canvas.layer(batch["albedo"]),
            canvas.layer(batch["shading"]),
        )

    def _draw(self, like: Tensor) -> tuple[Tensor, Tensor]:
        shift = self._config.bias_shift
        return terms.draw(like, (10.0 if self._variant else 1.0) if shift == OWN else shift)

    def _teach_judges(
        self,
        pictures: tuple[Tensor, Tensor, Tensor],
        made: Mapping[str, Tensor],
        minimise: Minimise,
    ) -> dict[str, Tensor]:
        self._freeze(False)
        losses = terms.discriminator(self._judges, {"r": pictures[1], "s": pictures[2]}, made)
        minimise(self._weights.adversarial * torch.stack(list(losses.values())).sum(), "dis")
        self._freeze(True)
        return {name: loss.detach() for name, loss in losses.items()}

    def _composed(self, batch: Batch) -> dict[str, Tensor]:
        """What becomes of exemplars that are blended and separated again; every albedo meets
        several shadings."""
        turns = range(min(self._config.pairings, len(batch["albedo"])))
        albedo, known = (
            torch.cat([batch[name] for _ in turns]) for name in ("albedo", "albedo_mask")
        )
        shading, lit = (
            torch.cat([batch[name].roll(i, 0) for i in turns])
            for name in ("shading", "shading_mask")
        )
        photo, mask, _ = expose(albedo * shading, known * lit)
        mask = self._canvas.mask(mask)
        r, s = self._separate(self._canvas.photo(photo))
        guesses = {"r": (r, albedo), "s": (s, shading)}
        return {
            name: self._canvas.error(guess, self._canvas.layer(truth), mask).mean()
            for name, (guess, truth) in guesses.items()
        }

    def _separate(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        nets = self._generators
        content, prior = nets.i.encode(picture)
        z_r, z_s = nets.separate(prior)
        return nets.r.decode(content, z_r), nets.s.decode(content, z_s)

    def validate(self, batch: Batch) -> Mapping[str, Tensor]:
        """``loss`` needs no truth: exemplars found again in unseen blends, and photos explained by
        their layers. The errors against the photo's own layers are shown where the dataset knows
        them, and choose nothing."""
        picture = self._canvas.photo(batch["photo"])
        made = dict(zip(("ri", "si"), self._separate(picture), strict=True))
        require_alive({"albedo": made["ri"], "shading": made["si"]})
        small = self._canvas.shrink(picture)
        mask = self._canvas.mask(batch["photo_mask"])
        composed = sum(self._composed(batch).values(), torch.zeros(()))
        explained = self._canvas.physical(small, made, mask)["i"]
        figures = {"loss": composed + explained, "composed": composed, "physical": explained}
        for name, layer in (("albedo", made["ri"]), ("shading", made["si"])):
            if f"true {name}" in batch:
                truth = nn.functional.interpolate(
                    batch[f"true {name}"], layer.shape[-2:], mode="area"
                )
                figures[name] = scale_invariant_loss(self._canvas.linear(layer), truth, mask).mean()
        return figures

    def preview(self, batch: Batch) -> Mapping[str, Tensor]:
        r, s = (self._canvas.linear(x) for x in self._separate(self._canvas.photo(batch["photo"])))
        columns = {"photo": batch["photo"], "albedo": r, "shading": s}
        return columns | {name: x for name, x in batch.items() if name.startswith("true ")}
