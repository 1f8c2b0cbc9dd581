"""Stage ``flow`` of the default variant: velocities of the auto-encoder's latents."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional
from torch.optim import AdamW

from iid_flow.decomposer import Seen, predict
from iid_flow.light import from_log, to_log
from iid_flow.losses import agreement_loss
from iid_flow.pairs import Part, known_in_both, random_part, split, with_parts
from iid_flow.path import estimate, interpolate, velocity
from iid_flow.settings import FlowConfig
from iid_flow.training import FlowStage
from iid_flow.unet import VelocityNet
from iid_flow.vae import FACTOR, ShadingVAE
from iid_flow.white_point import white_point
from intrinsic_cli.api import Runtime, Source
from intrinsic_cli.kit.light.exposure import encode_photo
from intrinsic_cli.kit.networks.checkpoint import load_into, load_weights
from intrinsic_cli.kit.networks.device import place
from intrinsic_cli.kit.networks.efficientnet import Encoder, load_imagenet, pretrained_wanted
from intrinsic_cli.kit.networks.losses import masked_mean, scale_invariant_loss

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch
    from intrinsic_cli.api.method import Minimise

_MEASURED = 16  # batches from which the normalisation of the latents is taken
_REBUILT = 4  # of so many samples one is decoded from its true latents
_NO_NOISE = 0.25  # share of the samples off the mean answer that are trained at t = 0 too


class Answer(NamedTuple):
    """What the networks make of a batch: log shading as ``seen``, relative to ``level``, and its
    ``truth``; true ``latents``, and the ``velocity`` towards them from ``start`` at ``time``."""

    seen: Seen
    level: Tensor
    truth: Tensor
    latents: Tensor
    start: Tensor
    time: Tensor
    velocity: Tensor


class FlowTrainer(FlowStage):
    """Stage ``flow``: velocities of latents under the photo.

    Most samples start from nothing at t = 0, where the best velocity is the mean answer (one Euler
    step); the rest start from noise of random spread at logit-normal times. Both have losses in
    latents and, decoded, in pixels. The auto-encoder's encoder is frozen: it defines the latents.
    Its decoder learns on, with the answers it will get."""

    def __init__(self, config: FlowConfig, source: Source, runtime: Runtime) -> None:
        if config.agree_weight:
            source = source.under_two_lights()
        super().__init__(config, source)
        self.vae, self.encoder, self.unet = ShadingVAE(), Encoder(), VelocityNet()
        self.nets = {"vae": self.vae, "encoder": self.encoder, "unet": self.unet}
        self._start_weights(config, runtime)
        self.vae.requires_grad_(False)
        self.vae.decoder.requires_grad_(config.decoder_lr > 0)
        for net in self.nets.values():
            place(net, runtime.device)
        self._device = runtime.device
        groups = self._parameter_groups()
        self.optimizers = {"flow": AdamW(groups, weight_decay=config.weight_decay)}

    def _start_weights(self, config: FlowConfig, runtime: Runtime) -> None:
        """The encoder from ImageNet and the auto-encoder of stage vae."""
        init = runtime.parents.get("init", {})
        if pretrained_wanted(config.pretrained):
            load_imagenet(self.encoder)
        elif config.pretrained == "auto" and "encoder" not in init:
            missed = "the extra 'pretrained' would bring ImageNet weights"
            self.notes = (f"the encoder starts from nothing: {missed}",)
        if "vae" in runtime.parents:
            load_into(self.vae, runtime.parents["vae"], "vae")

    def _parameter_groups(self) -> list[dict[str, Any]]:
        c = self._config
        groups: list[dict[str, Any]] = [
            {"params": list(self.unet.parameters()), "lr": c.lr},
            {"params": list(self.encoder.parameters()), "lr": c.encoder_lr},
        ]
        decoder = [p for p in self.vae.parameters() if p.requires_grad]
        if decoder:
            groups.append({"params": decoder, "lr": c.decoder_lr})
        return groups

    def setup(self) -> None:
        """Take the auto-encoder that was asked for, and normalise the latents over some training
        batches unless the run continues networks used to theirs."""
        if self._config.auto_encoder:
            state, _ = load_weights(Path(self._config.auto_encoder))
            load_into(self.vae, state, "vae")
        if not bool((self.vae.scale == 1).all()):
            return
        shadings = []
        for batch in islice(self.batches("train"), _MEASURED):
            shading = to_log(batch["shading"], white_point(batch["photo"]))
            shadings.append(shading.to(self._device))
        self.vae.measure(shadings)

    def step(self, batch: Batch, minimise: Minimise, number: int) -> Mapping[str, Tensor]:
        terms = self.terms(batch)
        minimise(self.total(terms), "flow")
        return {name: term.detach() for name, term in terms.items()}

    def total(self, terms: Mapping[str, Tensor]) -> Tensor:
        """The terms added up, each by its weight."""
        c = self._config
        loss = (
            c.flow_weight * terms["flow"]
            + c.pixel_weight * terms["pixel"]
            + c.linear_weight * terms["linear"]
            + c.rebuild_weight * terms["rebuild"]
        )
        if c.agree_weight:
            loss = loss + c.agree_weight * terms["agree"]
        return loss

    def terms(self, batch: Batch) -> dict[str, Tensor]:
        """``flow``: squared error of the velocity of latents; ``pixel`` and ``linear``: errors of
        the answer it points to, in log shading and in linear light, which count the less the later
        the sample (at t = 1 the truth has been given); ``rebuild``: error of the decoder
        alone, over a part of the batch; with its weight ``agree``: how the albedos of one paint
        under two lights differ."""
        part = self._draw_part(batch)
        if part:
            batch = with_parts(batch, part)
        return self._terms(batch, self._answer(batch), part)

    def _terms(self, batch: Batch, a: Answer, part: Part | None) -> dict[str, Tensor]:
        error = (a.velocity - velocity(a.start, a.latents)).square()
        pixel = self._log_loss(a.seen.log_shading, a.truth, batch["mask"])
        linear = self._linear_loss(a.seen.log_shading, batch, a.level)
        terms = {
            "flow": masked_mean(error, _known_latents(batch["mask"])).mean(),
            "pixel": (pixel * (1 - a.time)).mean(),
            "linear": (linear * (1 - a.time)).mean(),
            "rebuild": self._rebuilding(a.latents, a.truth, batch["mask"]),
        }
        if self._config.agree_weight:
            terms["agree"] = self._disagreement(a, known_in_both(batch["mask"], part), part)
        return terms

    def _answer(self, batch: Batch) -> Answer:
        """The networks' answer to every photo, from random starts and times."""
        level = white_point(batch["photo"])
        truth = to_log(batch["shading"], level)
        with torch.no_grad():
            x1 = self.vae.encode(truth)
        x0, t = self.draw_start(x1)
        xt = interpolate(x0, x1, t)
        encoded = encode_photo(batch["photo"], level)
        maps = self.encoder(encoded)
        v = self.unet(xt, t, encoded, maps)
        answer = self.vae.decode(estimate(xt, v, t))
        return Answer(Seen(encoded, maps, answer), level, truth, x1, x0, t, v)

    def _draw_part(self, batch: Batch) -> Part | None:
        """Which part of the crops the second photos of all pairs show; None: all of it."""
        share = self._config.agree_parts if self._config.agree_weight else 0.0
        if not share or float(torch.rand(())) >= share:
            return None
        return random_part(batch["photo"].shape[-1])

    def _disagreement(self, answer: Answer, mask: Tensor, part: Part | None) -> Tensor:
        """Of all pairs; a pair counts the less the later its later sample."""
        c = self._config
        first, second = split(answer.seen.log_shading - answer.truth)
        if part:
            first = part.of(first)
        each = agreement_loss(
            first, second, mask, c.chroma_weight, c.gradient_weight, c.agree_colour
        )
        latest = torch.maximum(*split(answer.time))
        return (each * (1 - latest)).mean()

    def _rebuilding(self, latents: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
        """The loss of decoding the true latents of every fourth sample."""
        if not self._config.rebuild_weight:
            return truth.new_zeros(())
        rebuilt = self.vae.decode(latents[::_REBUILT])
        return self._log_loss(rebuilt, truth[::_REBUILT], mask[::_REBUILT]).mean()

    def draw_start(self, x1: Tensor) -> tuple[Tensor, Tensor]:
        """Starting points [B,16,h,w] and times [B] of a batch of latents. ``mean_share`` of the
        samples start from zero at t = 0."""
        b, device = len(x1), x1.device
        chance = torch.rand(b, device=device)
        mean_answer = chance < self._config.mean_share
        spread = torch.rand(b, device=device) * ~mean_answer
        chance = torch.rand(b, device=device)
        at_zero = mean_answer | (chance < _NO_NOISE)
        times = torch.randn(b, device=device).sigmoid()
        noise = torch.randn_like(x1)
        x0 = noise * spread.view(-1, 1, 1, 1)
        return x0, times * ~at_zero

    def _linear_loss(self, log_shading: Tensor, batch: Batch, level: Tensor) -> Tensor:
        """Scale-invariant errors of shading and albedo in linear light, over the photo and in
        windows, [B]."""
        window = max(2, log_shading.shape[-1] // 10)
        shading = from_log(log_shading, level)
        albedo = (self._diffuse(batch) / shading).clamp(max=4)
        total = torch.zeros(len(shading), device=shading.device)
        for layer, truth in ((shading, batch["shading"]), (albedo, batch["albedo"])):
            whole = scale_invariant_loss(layer, truth, batch["mask"])
            local = scale_invariant_loss(layer, truth, batch["mask"], window)
            total = total + whole + local
        return total

    def _diffuse(self, batch: Batch) -> Tensor:
        """What of the photos is albedo · shading."""
        return batch["photo"]

    def validate(self, batch: Batch) -> Mapping[str, Tensor]:
        truth = to_log(batch["shading"], white_point(batch["photo"]))
        answer = predict(self.nets, batch["photo"], None, 1)
        return {"loss": self._log_loss(answer, truth, batch["mask"]).mean()}

    def preview(self, batch: Batch) -> Mapping[str, Tensor]:
        photo = batch["photo"]
        shading = from_log(predict(self.nets, photo, None, 1), white_point(photo))
        return {
            "photo": photo,
            "albedo": (photo / shading).clamp(0, 1),
            "true albedo": batch["albedo"],
            "shading": shading,
            "true shading": batch["shading"],
        }


def _known_latents(mask: Tensor) -> Tensor:
    """1 where all the pixels of a latent have truth: [B,1,H,W] → [B,1,H/4,W/4]."""
    share = functional.avg_pool2d(mask, FACTOR)
    return (share > 0.99).to(mask.dtype)
