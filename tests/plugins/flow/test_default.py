"""The default variant of ``flow``: light, auto-encoder, velocity network, losses, decomposing,
training."""

from __future__ import annotations

import math
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import iid_flow
from iid_flow.decomposer import FlowDecomposer, build, predict
from iid_flow.light import from_log, to_log
from iid_flow.losses import kl_loss, log_shading_loss
from iid_flow.settings import FlowConfig, FlowOptions
from iid_flow.train_flow import FlowTrainer
from iid_flow.train_vae import VaeTrainer
from iid_flow.unet import VelocityNet
from iid_flow.vae import LATENTS, ShadingVAE
from intrinsic_cli.api import Runtime
from intrinsic_cli.kit.data.synth.scenes import open_synth
from intrinsic_cli.kit.light.exposure import encode_photo, exposure
from intrinsic_cli.kit.light.resize import resize
from intrinsic_cli.kit.networks.checkpoint import state_of
from intrinsic_cli.kit.networks.efficientnet import CHANNELS, Encoder
from intrinsic_cli.kit.networks.losses import gradient_loss, scale_invariant_loss
from intrinsic_cli.weights import read_record

CPU = Runtime(torch.device("cpu"))
TINY = FlowConfig(steps=2, batch_size=2, crop=32, pretrained="no")


def photo(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) * 0.8 + 0.1


def decomposer(**options: Any) -> FlowDecomposer:
    torch.manual_seed(0)
    nets = build()
    for net in nets.values():
        net.eval()
    return FlowDecomposer(nets, FlowOptions(**options), CPU)


def test_log_light_goes_there_and_back() -> None:
    shading = photo(2, 3, 8, 8)
    level = exposure(shading)
    assert torch.allclose(from_log(to_log(shading, level), level), shading, rtol=1e-5)


def test_exposure_ignores_a_black_background_and_follows_the_light() -> None:
    lit = photo(1, 3, 16, 16)
    framed = torch.nn.functional.pad(lit, (16, 16, 16, 16))
    assert torch.allclose(exposure(framed), exposure(lit), rtol=1e-5)
    assert torch.allclose(exposure(3 * lit), 3 * exposure(lit), rtol=1e-5)
    assert torch.isfinite(
        encode_photo(torch.zeros(1, 3, 8, 8), exposure(torch.zeros(1, 3, 8, 8)))
    ).all()


def test_encoder_maps() -> None:
    maps = Encoder().eval()(photo(1, 3, 64, 96))
    assert [m.shape[1] for m in maps] == list(CHANNELS)
    assert [m.shape[-1] for m in maps] == [48, 24, 12, 6, 3]


def test_vae_shapes_and_normalised_latents() -> None:
    vae = ShadingVAE()
    codes = [photo(4, 3, 32, 32, seed=i) for i in range(3)]
    vae.measure(codes)
    latents = torch.cat([vae.encode(code) for code in codes]).transpose(0, 1).flatten(1)
    assert latents.shape[0] == LATENTS
    assert torch.allclose(latents.mean(1), torch.zeros(LATENTS), atol=1e-4)
    assert torch.allclose(latents.std(1), torch.ones(LATENTS), atol=1e-3)
    assert vae.decode(vae.encode(codes[0])).shape == codes[0].shape


def test_velocity_sees_time_noise_and_photo() -> None:
    torch.manual_seed(1)
    net, encoder = VelocityNet().eval(), Encoder().eval()
    seen, x, t = photo(1, 3, 32, 64), torch.randn(1, LATENTS, 8, 16), torch.zeros(1)
    base = net(x, t, seen, encoder(seen))
    assert base.shape == x.shape
    for other in (net(x, t + 0.3, seen, encoder(seen)), net(x + 1, t, seen, encoder(seen))):
        assert (other - base).abs().max() > 1e-4
    turned = seen.flip(3)
    assert (net(x, t, turned, encoder(turned)) - base).abs().max() > 1e-4


def test_loss_forgives_most_of_a_constant_and_ignores_what_is_masked() -> None:
    truth, mask = photo(2, 3, 32, 32), torch.ones(2, 1, 32, 32)
    mask[..., :16] = 0
    assert torch.equal(log_shading_loss(truth, truth, mask, 0.5, 1.0), torch.zeros(2))
    garbage = truth.clone()
    garbage[..., :16] = 100
    assert torch.allclose(log_shading_loss(garbage, truth, mask, 0.5, 1.0), torch.zeros(2))
    brighter = truth + torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1)
    assert torch.allclose(
        log_shading_loss(brighter, truth, mask, 0.5, 1.0), torch.full((2,), 0.15), atol=1e-5
    )


def test_gradient_loss_of_a_ramp() -> None:
    """A slope of 1 per pixel is 1, 2, 4, 8, 16 per pixel of each halving."""
    ramp = torch.arange(64.0).expand(1, 1, 64, 64)
    loss = gradient_loss(ramp, torch.ones(1, 1, 64, 64), scales=5)
    assert loss.item() == pytest.approx(1 + 2 + 4 + 8 + 16, rel=1e-5)


def test_scale_invariant_loss() -> None:
    truth, mask = photo(2, 3, 32, 32), torch.ones(2, 1, 32, 32)
    for window in (None, 8):
        assert scale_invariant_loss(3 * truth, truth, mask, window).max() < 1e-5
    halves = truth.clone()
    halves[..., :16] *= (
        2  # one scale cannot mend it, one per window can (but for the windows across the border)
    )
    whole, local = (
        scale_invariant_loss(halves, truth, mask),
        scale_invariant_loss(halves, truth, mask, 8),
    )
    assert (local < 0.5 * whole).all()
    p, g = torch.tensor([1.0, 1]).view(1, 1, 1, 2), torch.tensor([1.0, 3]).view(1, 1, 1, 2)
    assert scale_invariant_loss(p, g, torch.ones(1, 1, 1, 2)).item() == pytest.approx(2 / 10)


def test_kl_of_the_standard_normal_is_zero() -> None:
    assert kl_loss(torch.zeros(3), torch.zeros(3)).item() == 0
    assert kl_loss(torch.ones(1), torch.zeros(1)).item() == pytest.approx(0.5)
    assert kl_loss(torch.zeros(1), torch.ones(1)).item() == pytest.approx((math.e - 2) / 2)


@pytest.mark.parametrize(
    "options", [{}, {"steps": 3}, {"mode": "vae"}, {"temperature": 1.0, "steps": 2}]
)
def test_layers_multiply_back_and_repeat(options: dict[str, Any]) -> None:
    net, x = decomposer(**options, size=64), photo(2, 3, 64, 96)
    with torch.inference_mode():
        first, again = net(x), net(x)
    assert torch.equal(first["albedo"], again["albedo"])
    assert torch.allclose(
        first["albedo"] * first["shading"], resize(x, first["shading"].shape[-2:]), atol=1e-5
    )
    assert first["albedo"].flatten(1).quantile(0.99, dim=1).max() <= 1.001


def test_noise_depends_on_the_seed_and_not_on_the_batch() -> None:
    x = photo(2, 3, 32, 32)
    net = decomposer(temperature=1.0)
    other = FlowDecomposer(
        net._nets, FlowOptions(temperature=1.0), Runtime(torch.device("cpu"), seed=1)
    )
    with torch.inference_mode():
        both, second = net(x)["shading"], net(x[1:])["shading"]
        assert torch.allclose(both[1:], second, atol=1e-5)
        assert (other(x)["shading"] - both).abs().max() > 1e-4


def test_temperature_is_the_spread_of_the_noise() -> None:
    x = photo(1, 3, 32, 32)
    half, whole = (decomposer(temperature=spread)._noise(x) for spread in (0.5, 1.0))
    assert half is not None
    assert whole is not None
    assert torch.equal(half * 2, whole)
    assert decomposer()._noise(x) is None


def test_mirror_makes_the_answer_symmetric() -> None:
    x = photo(1, 3, 32, 64)
    with torch.inference_mode():
        shading, turned = (decomposer(mirror=True)(p)["shading"] for p in (x, x.flip(3)))
    assert torch.allclose(shading, turned.flip(3), atol=1e-4)


def test_training_moves_what_it_should() -> None:
    source = open_synth()
    parent = state_of(VaeTrainer(TINY, source, CPU).nets)
    trainer = FlowTrainer(TINY, source, Runtime(CPU.device, parents={"vae": parent}))
    trainer.setup()
    before = state_of(trainer.nets)
    optimizer = trainer.optimizers["flow"]

    def minimise(loss: Tensor, name: str) -> None:
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    for number, batch in enumerate(islice(trainer.batches("train"), 2)):
        losses = trainer.step(batch, minimise, number)
        assert all(torch.isfinite(x) for x in losses.values())
    after = state_of(trainer.nets)
    moved = {
        net: {k for k in part if not torch.equal(part[k], after[net][k])}
        for net, part in before.items()
    }
    assert not any(k.startswith("encoder.") for k in moved["vae"])
    assert any(k.startswith("decoder.") for k in moved["vae"])
    assert moved["unet"]
    assert moved["encoder"]
    assert not any("running" in k for k in moved["encoder"])


def test_predict_needs_only_the_photo() -> None:
    net = decomposer()
    code = predict(net._nets, photo(1, 3, 32, 32), None, 1)
    assert code.shape == (1, 3, 32, 32)


def test_options_turn_what_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = []

    def counted(field: Any, x: Tensor, number: int) -> Tensor:
        steps.append(number)
        return x

    monkeypatch.setattr("iid_flow.decomposer.euler", counted)
    for wanted in (0, 1, 3):
        decomposer(steps=wanted, mirror=False)(photo(1, 3, 32, 32))
    decomposer(steps=2, mirror=True)(photo(1, 3, 32, 32))
    assert steps == [1, 1, 3, 2, 2]
    assert decomposer(size=64).frame.size == 64


def test_layers_are_a_third_of_what_the_network_sees() -> None:
    layers = decomposer(size=96)(photo(1, 3, 96, 192))
    assert {tuple(layer.shape[-2:]) for layer in layers.values()} == {(32, 64)}


def test_the_weights_of_the_objective_are_those_of_the_shipped_network() -> None:
    shipped = read_record(Path(iid_flow.__file__).parent / "weights" / "flow.safetensors")
    usual = asdict(FlowConfig())
    same = [key for key in usual if key.endswith("_weight")]
    same += ["mean_share", "weight_decay", "clip"]
    trained = {key: shipped["config"].get(key, 0.0) for key in same}  # 0: there was no such term
    assert {key: usual[key] for key in same} == trained
