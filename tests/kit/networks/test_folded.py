"""Networks that learn no more."""

from __future__ import annotations

import torch
from torch import nn

from intrinsic_cli.kit.networks.efficientnet import Encoder
from intrinsic_cli.kit.networks.folded import folded


def _used(net: nn.Module) -> nn.Module:
    """Its batch norms have seen pictures."""
    torch.manual_seed(0)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.3)
            module.running_mean = torch.randn(module.num_features) * 0.3
            module.running_var = torch.rand(module.num_features) + 0.5
    return net.eval()


def test_an_encoder_says_the_same_without_its_batch_norms() -> None:
    encoder = _used(Encoder())
    picture = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        before = encoder(picture)
        after = folded(encoder)(picture)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in encoder.modules())
    for one, other in zip(before, after, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_batch_norms_that_follow_no_convolution_stay() -> None:
    layers = nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 1), nn.ReLU(), nn.BatchNorm2d(4))
    net = _used(layers)
    picture = torch.rand(2, 3, 5, 5)
    with torch.no_grad():
        expected = net(picture)
        assert folded(net)(picture).equal(expected)
    assert sum(isinstance(module, nn.BatchNorm2d) for module in net.modules()) == 2


def test_what_still_learned_learns_no_more() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Dropout(0.5))
    assert not any(module.training for module in folded(net).modules())
