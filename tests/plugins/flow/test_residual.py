"""The variant with highlights apart: its network, decomposing, training, starting from flow."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from iid_flow.decompose_residual import ResidualFlowDecomposer, build_residual
from iid_flow.decomposer import FlowDecomposer, build, look_at
from iid_flow.highlights import HighlightNet, highlight_loss
from iid_flow.method import Flow
from iid_flow.settings import FlowOptions, ResidualFlowConfig
from iid_flow.train_residual import ResidualFlowTrainer
from intrinsic_cli.api import Decomposition, Runtime
from intrinsic_cli.kit.data.synth.scenes import open_glossy
from intrinsic_cli.kit.networks.checkpoint import state_of

CPU = Runtime(torch.device("cpu"), variant="residual")
ONES = torch.ones(2, 1, 32, 32)


def photo(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) * 0.8 + 0.1


def trainer(**settings: Any) -> ResidualFlowTrainer:
    torch.manual_seed(0)
    config = ResidualFlowConfig(batch_size=2, crop=32, pretrained="no", **settings)
    return ResidualFlowTrainer(config, open_glossy(), CPU)


def decomposer(**options: Any) -> ResidualFlowDecomposer:
    torch.manual_seed(0)
    nets = {name: net.eval() for name, net in build_residual().items()}
    torch.nn.init.normal_(nets["residual"].exit.weight, std=0.05)  # type: ignore[union-attr,arg-type]
    return ResidualFlowDecomposer(nets, FlowOptions(size=64, **options), CPU)


def test_a_share_of_the_photo_is_highlight_and_little_before_training() -> None:
    nets = build_residual()
    with torch.no_grad():
        share = nets["residual"](look_at(nets, photo(2, 3, 64, 32), None, 1))
    assert share.shape == (2, 3, 64, 32)
    assert share.max() < 0.03
    assert share.min() > 0


def test_the_loss_of_highlights_is_relative_to_the_light_and_masked() -> None:
    shown, level = photo(2, 3, 32, 32), torch.tensor([0.5, 0.25]).view(2, 1, 1, 1)
    right, none = torch.zeros_like(shown), torch.full_like(shown, -8.0)
    exact = highlight_loss(right, shown, shown / 2, level, ONES, 1.0)
    assert torch.allclose(exact, torch.zeros(2), atol=1e-5)
    missed = highlight_loss(none, shown, shown / 2, level, ONES, 1.0)
    assert missed.min() > 1
    brighter = highlight_loss(none, 3 * shown, 1.5 * shown, 3 * level, ONES, 1.0)
    assert torch.allclose(missed, brighter, rtol=1e-4)
    mask = ONES.clone()
    mask[0] = 0
    assert float(highlight_loss(none, shown, shown / 2, level, mask, 1.0)[0]) == 0


@pytest.mark.parametrize("options", [{}, {"mirror": False, "steps": 2}, {"mode": "vae"}])
def test_albedo_shading_and_residual_rebuild_the_photo(options: dict[str, Any]) -> None:
    x = photo(2, 3, 64, 96)
    with torch.inference_mode():
        layers = decomposer(**options)(x)
    assert {tuple(layer.shape) for layer in layers.values()} == {(2, 3, 64, 96)}
    made = layers["albedo"] * layers["shading"] + layers["residual"]
    assert torch.allclose(made, x, atol=1e-5)
    assert layers["residual"].min() >= 0
    assert bool(layers["residual"].any()) == (options.get("mode") != "vae")


def test_mirror_makes_the_residual_symmetric() -> None:
    x = photo(1, 3, 64, 64)
    with torch.inference_mode():
        one, turned = (decomposer()(p)["residual"] for p in (x, x.flip(3)))
        alone = decomposer(mirror=False)(x)["residual"]
    assert torch.allclose(one, turned.flip(3), atol=1e-5)
    assert (one - alone).abs().max() > 1e-5


def test_no_more_is_mirrored_than_there_is() -> None:
    shown = np.full((2, 2, 3), 0.5, np.float32)
    residual = np.float32([[[0.2] * 3, [0.9] * 3]] * 2)
    layers = {"albedo": np.zeros_like(shown), "shading": shown, "residual": residual}
    made = decomposer().finished(Decomposition(shown, layers))
    assert np.allclose(made.layers["residual"], np.minimum(residual, 0.5))


def one_step(made: ResidualFlowTrainer) -> dict[str, set[str]]:
    """Which tensors two steps move."""
    before = state_of(made.nets)
    optimizer = made.optimizers["flow"]

    def minimise(loss: Tensor, name: str) -> None:
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    for number, batch in enumerate(islice(made.batches("train"), 2)):
        assert torch.isfinite(made.step(batch, minimise, number)["residual"])
    after = state_of(made.nets)
    return {
        net: {key for key in part if not torch.equal(part[key], after[net][key])}
        for net, part in before.items()
    }


def test_training_moves_everything_or_the_highlights_alone() -> None:
    moved = one_step(trainer())
    assert moved["unet"]
    assert moved["encoder"]
    assert moved["residual"]
    moved = one_step(trainer(residual_alone=True))
    assert moved["residual"]
    assert not moved["unet"] | moved["encoder"] | moved["vae"]


def test_paint_alone_is_albedo() -> None:
    made = trainer()
    batch = {name: photo(2, 3, 8, 8) for name in ("photo", "residual")}
    batch["residual"] = batch["photo"] * torch.tensor([0.25, 2.0]).view(2, 1, 1, 1)
    diffuse = made._diffuse(batch)
    assert torch.allclose(diffuse[0], 0.75 * batch["photo"][0])
    assert not diffuse[1].any()


def test_highlights_count_as_their_weight_says() -> None:
    losses: dict[float, float] = {}
    for weight in (0.0, 2.0):
        made = trainer(residual_weight=weight, agree_weight=0.1)
        batch = next(iter(made.batches("train")))
        torch.manual_seed(1)
        terms = made.terms(batch)
        losses[weight] = float(made.total(terms).detach())
    assert losses[2.0] == pytest.approx(losses[0.0] + 2 * float(terms["residual"].detach()))
    checked = made.validate(batch)
    assert checked["loss"] > checked["residual"] > 0


def test_highlights_can_be_learned() -> None:
    """Spots on a gray wall, told by their brightness."""
    torch.manual_seed(0)
    nets = build()
    spots = torch.zeros(1, 3, 32, 32)
    spots[..., 8:12, 8:12] = 0.6
    shown = 0.2 + spots
    with torch.no_grad():
        seen = look_at(nets, shown, None, 1)
    net = HighlightNet()
    optimizer = torch.optim.AdamW(net.parameters(), 3e-3)
    level = torch.full((1, 1, 1, 1), 0.25)
    for _ in range(30):
        loss = highlight_loss(net.logits(seen), shown, spots, level, ONES[:1], 1.0).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    found = (shown * net(seen)).detach()
    assert found[..., 8:12, 8:12].mean() > 0.45
    assert found[..., 20:, 20:].mean() < 0.05


def test_the_variant_opens_with_its_own_networks() -> None:
    method = Flow()
    options = FlowOptions(size=32)
    state = state_of(build_residual())
    assert isinstance(method.decomposer(state, options, CPU), ResidualFlowDecomposer)
    usual = method.decomposer(state, options, Runtime(CPU.device))
    assert isinstance(usual, FlowDecomposer)
    assert not isinstance(usual, ResidualFlowDecomposer)
