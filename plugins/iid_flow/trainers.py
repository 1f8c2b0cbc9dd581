"""Training of the default variant: first the shading auto-encoder, then the flow on its latents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.optim import AdamW

from iid_flow.decomposer import predict
from iid_flow.light import from_log, to_log
from iid_flow.losses import kl_loss, log_shading_loss
from iid_flow.path import estimate, interpolate, velocity
from iid_flow.settings import FlowConfig
from iid_flow.unet import Velocity
from iid_flow.vae import FACTOR, ShadingVAE
from intrinsic_cli.api import Runtime, Source, Trainer
from intrinsic_cli.kit.light.exposure import encode_photo, exposure
from intrinsic_cli.kit.networks.checkpoint import load_into
from intrinsic_cli.kit.networks.device import place
from intrinsic_cli.kit.networks.efficientnet import Encoder, load_imagenet, pretrained_wanted
from intrinsic_cli.kit.networks.losses import masked_mean, scale_invariant_loss

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch, Split
    from intrinsic_cli.api.method import Minimise


class _Stage(Trainer):
    """What both stages share: data, and judging log shading."""

    def __init__(self, config: FlowConfig, source: Source) -> None:
        self._config, self._source = config, source

    def batches(self, split: Split, start: int = 0) -> Iterable[Batch]:
        c = self._config
        return self._source.batches(split, c.batch_size, c.crop, c.seed, start)

    def _judge(self, code: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
        c = self._config
        return log_shading_loss(code, truth, mask, c.chroma_weight, c.gradient_weight)


class VaeTrainer(_Stage):
    """Stage ``vae``: rebuild log shading through eight latents a quarter its size."""

    def __init__(self, config: FlowConfig, source: Source, runtime: Runtime) -> None:
        super().__init__(config, source)
        self.steps = config.vae_steps
        self.vae = place(ShadingVAE(), runtime.device)
        self.nets = {"vae": self.vae}
        self.optimizers = {
            "vae": AdamW(self.vae.parameters(), config.lr, weight_decay=config.weight_decay)
        }

    def step(self, batch: Batch, minimise: Minimise, number: int) -> Mapping[str, Tensor]:
        code = to_log(batch["shading"], exposure(batch["photo"]))
        mean, log_variance = self.vae.posterior(code)
        raw = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        pixel = self._judge(self.vae.decoder(raw), code, batch["mask"]).mean()
        kl = kl_loss(mean, log_variance)
        minimise(pixel + self._config.kl_weight * kl, "vae")
        return {"pixel": pixel.detach(), "kl": kl.detach()}

    def validate(self, batch: Batch) -> Mapping[str, Tensor]:
        code = to_log(batch["shading"], exposure(batch["photo"]))
        return {
            "loss": self._judge(self.vae.decode(self.vae.encode(code)), code, batch["mask"]).mean()
        }

    def preview(self, batch: Batch) -> Mapping[str, Tensor]:
        level = exposure(batch["photo"])
        rebuilt = from_log(self.vae.decode(self.vae.encode(to_log(batch["shading"], level))), level)
        return {"photo": batch["photo"], "shading": rebuilt, "true shading": batch["shading"]}


class FlowTrainer(_Stage):
    """Stage ``flow``: velocities of latents under the photo.

    Most samples start from nothing at t = 0, where the best velocity is the mean answer (one Euler
    step); the rest start from noise of random spread at logit-normal times. Both are judged in
    latents and, decoded, in pixels. The auto-encoder's encoder is frozen: it defines the latents.
    Its decoder learns on, with the answers it will get."""

    def __init__(self, config: FlowConfig, source: Source, runtime: Runtime) -> None:
        super().__init__(config, source)
        vae, encoder, unet = ShadingVAE(), Encoder(), Velocity()
        self.nets = {"vae": vae, "encoder": encoder, "unet": unet}
        self._begin(encoder, config, runtime)
        vae.requires_grad_(False)
        vae.decoder.requires_grad_(config.decoder_lr > 0)
        for net in self.nets.values():
            place(net, runtime.device)
        self.vae, self.encoder, self.unet = vae, encoder, unet
        groups = [
            {"params": list(unet.parameters()), "lr": config.lr},
            {"params": list(encoder.parameters()), "lr": config.encoder_lr},
            {"params": [p for p in vae.parameters() if p.requires_grad], "lr": config.decoder_lr},
        ]
        groups = [group for group in groups if group["params"]]
        self.optimizers = {"flow": AdamW(groups, weight_decay=config.weight_decay)}
        self._device = runtime.device

    def _begin(self, encoder: Encoder, config: FlowConfig, runtime: Runtime) -> None:
        """The auto-encoder of stage vae, the encoder from ImageNet, and whatever else the run
        starts from."""
        init = runtime.parents.get("init", {})
        if pretrained_wanted(config.pretrained):
            load_imagenet(encoder)
        elif config.pretrained == "auto" and "encoder" not in init:
            self.notes = (
                "the encoder starts from nothing: the extra 'pretrained' would bring ImageNet weights",
            )
        for name in self.nets.keys() & init.keys():
            load_into(self.nets[name], init, name)
        if "vae" in runtime.parents:
            load_into(self.nets["vae"], runtime.parents["vae"], "vae")

    def setup(self) -> None:
        """Normalise the latents over some training batches, unless the run continues networks used
        to theirs."""
        if not bool((self.vae.scale == 1).all()):
            return
        batches = islice(self.batches("train"), 16)
        self.vae.measure(
            [to_log(b["shading"], exposure(b["photo"])).to(self._device) for b in batches]
        )

    def step(self, batch: Batch, minimise: Minimise, number: int) -> Mapping[str, Tensor]:
        photo, mask = batch["photo"], batch["mask"]
        level = exposure(photo)
        code = to_log(batch["shading"], level)
        with torch.no_grad():
            x1 = self.vae.encode(code)
        x0, t = self._start(x1)
        xt = interpolate(x0, x1, t)
        seen = encode_photo(photo, level)
        v = self.unet(xt, t, seen, self.encoder(seen))
        known = (torch.nn.functional.avg_pool2d(mask, FACTOR) > 0.99).to(mask.dtype)
        flow = masked_mean((v - velocity(x0, x1)).square(), known).mean()
        answer = self.vae.decode(estimate(xt, v, t))
        pixel = (self._judge(answer, code, mask) * (1 - t)).mean()
        linear = (self._linear(answer, batch, level) * (1 - t)).mean()
        c = self._config
        minimise(c.flow_weight * flow + c.pixel_weight * pixel + c.linear_weight * linear, "flow")
        return {"flow": flow.detach(), "pixel": pixel.detach(), "linear": linear.detach()}

    def _linear(self, code: Tensor, batch: Batch, level: Tensor) -> Tensor:
        """Scale-invariant errors of shading and albedo in linear light, over the photo and in
        windows, [B]."""
        shading, mask, window = from_log(code, level), batch["mask"], max(2, code.shape[-1] // 10)
        albedo = (batch["photo"] / shading).clamp(max=4)
        total = torch.zeros(len(code), device=code.device)
        for mine, truth in ((shading, batch["shading"]), (albedo, batch["albedo"])):
            total = (
                total
                + scale_invariant_loss(mine, truth, mask)
                + scale_invariant_loss(mine, truth, mask, window)
            )
        return total

    def _start(self, x1: Tensor) -> tuple[Tensor, Tensor]:
        """Starting points and times of a batch."""
        b = len(x1)
        answer = torch.rand(b, device=x1.device) < self._config.mean_share
        spread = torch.rand(b, device=x1.device) * ~answer
        zero = answer | (torch.rand(b, device=x1.device) < 0.25)
        t = torch.randn(b, device=x1.device).sigmoid() * ~zero
        return torch.randn_like(x1) * spread.view(-1, 1, 1, 1), t

    def validate(self, batch: Batch) -> Mapping[str, Tensor]:
        code = to_log(batch["shading"], exposure(batch["photo"]))
        return {
            "loss": self._judge(
                predict(self.nets, batch["photo"], None, 1), code, batch["mask"]
            ).mean()
        }

    def preview(self, batch: Batch) -> Mapping[str, Tensor]:
        photo, level = batch["photo"], exposure(batch["photo"])
        shading = from_log(predict(self.nets, photo, None, 1), level)
        albedo = (photo / shading).clamp(0, 1)
        return {
            "photo": photo,
            "albedo": albedo,
            "true albedo": batch["albedo"],
            "shading": shading,
            "true shading": batch["shading"],
        }
