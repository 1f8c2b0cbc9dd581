"""Training of ``usi3d`` from photos, albedos and shadings that do not belong together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from iid_latent.shared.adversarial import AdversarialTrainer
from iid_latent.shared.camera import expose
from iid_latent.usi3d import terms
from iid_latent.usi3d.build import INFERENCE
from iid_latent.usi3d.degenerate import require_varied_layers
from iid_latent.usi3d.domains import Nets
from iid_latent.usi3d.original.smoothness import smoothness
from iid_latent.usi3d.representation import Representation
from iid_latent.usi3d.settings import LossWeights, OriginalConfig, Usi3dConfig
from intrinsic_cli.api import Runtime, Source
from intrinsic_cli.kit.data.unpaired.parts import unpaired
from intrinsic_cli.kit.networks.losses import scale_invariant_loss

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch, Split
    from intrinsic_cli.api.method import Minimise

GENERATORS = ("gen_i", "gen_r", "gen_s", "fea_s", "fea_m")
DISCRIMINATORS = ("dis_r", "dis_s")

Triple = tuple[Tensor, Tensor, Tensor]


class Usi3dTrainer(AdversarialTrainer):
    """One stage. A step first teaches the discriminators, then, with them frozen, everything
    else. A variant says how its networks see photos and layers (``representation``), what the
    terms weigh and which ``share`` of a batch goes through the paper's terms."""

    watch = "loss"
    inference = INFERENCE

    def __init__(
        self,
        config: Usi3dConfig | OriginalConfig,
        source: Source,
        representation: Representation,
        weights: LossWeights,
        share: float,
    ) -> None:
        self._config, self._source = config, source
        self._representation, self._weights, self._share = representation, weights, share

    def _use(self, nets: Mapping[str, nn.Module], runtime: Runtime) -> None:
        """Take the networks a variant has made."""
        self._take(nets, runtime)
        self._discriminators = {"r": nets["dis_r"], "s": nets["dis_s"]}
        any_nets: Mapping[str, Any] = nets  # modules hide what they can do
        self._generators = Nets(
            i=any_nets["gen_i"],
            r=any_nets["gen_r"],
            s=any_nets["gen_s"],
            separate=any_nets["fea_s"],
            merge=any_nets["fea_m"],
            shrink=self._representation.shrink,
        )

    def _parameters(self, names: Iterable[str]) -> list[nn.Parameter]:
        return [p for name in names for p in self.nets[name].parameters()]

    def batches(self, split: Split, start: int = 0) -> Iterable[Batch]:
        c = self._config
        names = ("photo", "albedo", "shading")
        return unpaired(self._source, names, split, c.batch_size, c.crop, c.seed, start)

    def step(self, batch: Batch, minimise: Minimise, number: int) -> Mapping[str, Tensor]:
        groups: terms.Terms = {}
        weights = asdict(self._weights)
        of_paper = [weight for name, weight in weights.items() if name != "compose"]
        if any(of_paper):
            groups |= self._paper_terms(self._first_of(batch), minimise)
        if self._weights.compose:
            groups["compose"] = self._compose_losses(batch)
        totals = {}
        for name, group in groups.items():
            totals[name] = terms.sum_of(list(group.values()))
        weighted = [weights[name] * total for name, total in totals.items() if name in weights]
        minimise(terms.sum_of(weighted), "gen")
        self._freeze_discriminators(False)
        return {name: total.detach() for name, total in totals.items()}

    def _first_of(self, batch: Batch) -> Batch:
        """The part of the batch that goes through the paper's terms."""
        count = max(1, round(len(batch["photo"]) * self._share))
        return {name: x[:count] for name, x in batch.items()}

    def _paper_terms(self, batch: Batch, minimise: Minimise) -> terms.Terms:
        """All groups but ``compose``; the discriminators are taught on the way."""
        representation, nets = self._representation, self._generators
        images = self._encoded(batch)
        codes = terms.encode(nets, *images)
        drawn = terms.draw(codes.z_i, self._config.bias_shift)
        made = terms.translate(nets, codes, *drawn)
        groups: terms.Terms = {}
        if self._weights.adversarial:
            groups["discriminator"] = self._train_discriminators(images, made, minimise)
            groups["adversarial"] = terms.adversarial(self._discriminators, made)
        groups |= terms.consistency(nets, images, codes, made, drawn)
        photo, mask = images[0], representation.mask(batch["photo_mask"])
        groups["physical"] = representation.physical(representation.shrink(photo), made, mask)
        groups["divergence"] = terms.prior_divergence(codes)
        if self._weights.smoothness:
            groups["smoothness"] = self._smoothness(made["ri"], photo)
        return groups

    def _smoothness(self, albedo: Tensor, photo: Tensor) -> dict[str, Tensor]:
        return {"ri": smoothness(albedo, self._representation.srgb_codes(photo))}

    def _encoded(self, batch: Batch) -> Triple:
        """Photo, albedo and shading as the networks see them."""
        representation = self._representation
        photo = representation.photo(batch["photo"])
        albedo = representation.layer(batch["albedo"])
        return photo, albedo, representation.layer(batch["shading"])

    def _train_discriminators(
        self, images: Triple, made: Mapping[str, Tensor], minimise: Minimise
    ) -> dict[str, Tensor]:
        """One step of the discriminators, which are frozen afterwards."""
        self._freeze_discriminators(False)
        _, albedo, shading = images
        real = {"r": albedo, "s": shading}
        losses = terms.discriminator(self._discriminators, real, made)
        loss = terms.sum_of(list(losses.values()))
        minimise(self._weights.adversarial * loss, "dis")
        self._freeze_discriminators(True)
        return {name: loss.detach() for name, loss in losses.items()}

    def _compose_losses(self, batch: Batch) -> dict[str, Tensor]:
        """What becomes of exemplars that are multiplied and separated again; every albedo meets
        several shadings."""
        representation = self._representation
        albedo, shading, mask = self._paired(batch)
        photo, mask, _ = expose(albedo * shading, mask)
        mask = representation.mask(mask)
        r, s = self._separate(representation.photo(photo))
        of_albedo = representation.error(r, representation.layer(albedo), mask)
        of_shading = representation.error(s, representation.layer(shading), mask)
        return {"r": of_albedo.mean(), "s": of_shading.mean()}

    def _paired(self, batch: Batch) -> Triple:
        """Albedos, as many different shadings for each as ``pairings`` says, and the mask where
        both are known."""
        turns = range(min(self._config.pairings, len(batch["albedo"])))

        def repeated(name: str) -> Tensor:
            return torch.cat([batch[name] for _ in turns])

        def turned(name: str) -> Tensor:
            return torch.cat([batch[name].roll(turn, 0) for turn in turns])

        mask = repeated("albedo_mask") * turned("shading_mask")
        return repeated("albedo"), turned("shading"), mask

    def _separate(self, photo: Tensor) -> tuple[Tensor, Tensor]:
        nets = self._generators
        content, prior = nets.i.encode(photo)
        z_r, z_s = nets.separate(prior)
        return nets.r.decode(content, z_r), nets.s.decode(content, z_s)

    def validate(self, batch: Batch) -> Mapping[str, Tensor]:
        """``loss`` needs no truth: exemplars found again in unseen mixtures, and photos explained
        by their layers. The errors against the photo's own layers are shown where the dataset
        knows them, and choose nothing."""
        representation = self._representation
        photo = representation.photo(batch["photo"])
        r, s = self._separate(photo)
        require_varied_layers({"albedo": r, "shading": s})
        mask = representation.mask(batch["photo_mask"])
        composed = terms.sum_of(list(self._compose_losses(batch).values()))
        small = representation.shrink(photo)
        explained = representation.physical(small, {"ri": r, "si": s}, mask)["i"]
        losses = {"loss": composed + explained, "composed": composed, "physical": explained}
        for name, layer in (("albedo", r), ("shading", s)):
            if f"true {name}" in batch:
                losses[name] = self._true_error(layer, batch[f"true {name}"], mask)
        return losses

    def _true_error(self, layer: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
        truth = functional.interpolate(truth, layer.shape[-2:], mode="area")
        linear = self._representation.to_linear(layer)
        return scale_invariant_loss(linear, truth, mask).mean()

    def preview(self, batch: Batch) -> Mapping[str, Tensor]:
        representation = self._representation
        r, s = self._separate(representation.photo(batch["photo"]))
        columns = {
            "photo": batch["photo"],
            "albedo": representation.to_linear(r),
            "shading": representation.to_linear(s),
        }
        true_layers = {name: x for name, x in batch.items() if name.startswith("true ")}
        return columns | true_layers
