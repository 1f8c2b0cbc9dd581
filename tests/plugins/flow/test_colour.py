"""Coloured light: what the shipped auto-encoder keeps of it, and what training asks for."""

from __future__ import annotations

from pathlib import Path

import torch

import iid_flow
from iid_flow.light import to_log
from iid_flow.losses import log_shading_loss
from iid_flow.settings import FlowConfig
from iid_flow.train_flow import FlowTrainer
from iid_flow.vae import ShadingVAE
from iid_flow.white_point import white_point
from intrinsic_cli.api import Runtime
from intrinsic_cli.kit.data.synth.scenes import open_synth
from intrinsic_cli.kit.networks.checkpoint import load_into, load_weights, save_weights, state_of


def test_the_shipped_auto_encoder_keeps_brightness_and_colour() -> None:
    """Least-squares slopes of rebuilt on true values, over all validation views at hand."""
    shipped, _ = load_weights(Path(iid_flow.__file__).parent / "weights" / "flow.safetensors")
    vae = ShadingVAE()
    load_into(vae, shipped, "vae")
    true, rebuilt = [], []
    for batch in open_synth().batches("val", 2, 128):
        light = to_log(batch["shading"], white_point(batch["photo"]))
        known = batch["mask"][:, 0] > 0
        with torch.no_grad():
            again = vae.decode(vae.encode(light))
        true.append(light.movedim(1, 0)[:, known])
        rebuilt.append(again.movedim(1, 0)[:, known])
    x, y = torch.cat(true, 1), torch.cat(rebuilt, 1)
    x, y = x - x.mean(1, keepdim=True), y - y.mean(1, keepdim=True)
    slopes = (x * y).sum(1) / (x * x).sum(1)
    assert slopes.min() >= 0.95
    assert slopes.max() <= 1.05


def test_no_part_of_a_wrong_colour_is_forgiven() -> None:
    truth, everywhere = torch.zeros(1, 3, 8, 8), torch.ones(1, 1, 8, 8)
    brighter, redder = truth.clone(), truth.clone()
    brighter[:, 0] = 1
    redder[:, 1] = 1
    forgiven = log_shading_loss(brighter, truth, everywhere, chroma=1, gradient=0)
    counted = log_shading_loss(redder, truth, everywhere, chroma=1, gradient=0)
    assert torch.allclose(forgiven, torch.tensor([0.15]))
    assert torch.allclose(counted, torch.tensor([1.0]))


def test_stage_flow_begins_with_the_auto_encoder_that_is_asked_for(tmp_path: Path) -> None:
    torch.manual_seed(1)
    other = ShadingVAE()
    other.measure([torch.randn(2, 3, 32, 32)])
    path = tmp_path / "vae.safetensors"
    save_weights(path, state_of({"vae": other}), {})
    config = FlowConfig(batch_size=1, crop=32, pretrained="no", auto_encoder=str(path))
    trainer = FlowTrainer(config, open_synth(), Runtime(torch.device("cpu")))
    trainer.setup()
    ours, theirs = trainer.vae.state_dict(), other.state_dict()
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)


def test_the_decoder_of_stage_flow_goes_on_rebuilding_true_light() -> None:
    config = FlowConfig(batch_size=2, crop=32, pretrained="no")
    trainer = FlowTrainer(config, open_synth(), Runtime(torch.device("cpu")))
    trainer.setup()
    batch = next(iter(trainer.batches("train")))
    rebuilt = trainer.terms(batch)["rebuild"]
    rebuilt.backward()
    assert rebuilt > 0
    assert all(p.grad is not None for p in trainer.vae.decoder.parameters())
    assert all(p.grad is None for p in trainer.unet.parameters())
