"""The discriminator: published sizes, and gradients that turn round on the way."""

from __future__ import annotations

import pytest
import torch

from iid_mesh.networks.discriminator import Discriminator, with_reversed_gradient


@pytest.mark.parametrize(("channels", "count"), [(1, 46_818), (3, 47_394)])
def test_it_has_the_published_size(channels: int, count: int) -> None:
    network = Discriminator(channels, 256)
    assert sum(x.numel() for x in network.parameters()) == count


def test_one_logit_a_picture() -> None:
    assert Discriminator(3, 64)(torch.rand(2, 3, 64, 64)).shape == (2,)
    assert Discriminator(1, 32)(torch.rand(1, 1, 32, 32)).shape == (1,)


def test_gradients_turn_round() -> None:
    x = torch.rand(4, requires_grad=True)
    passed = with_reversed_gradient(x)
    assert passed.allclose(x, atol=1e-6)
    (passed * torch.arange(4.0)).sum().backward()
    assert x.grad is not None
    assert x.grad.allclose(-0.2 * torch.arange(4.0), atol=1e-6)


def test_what_lowers_its_loss_raises_that_of_the_picture() -> None:
    """One loss, two players: a step against the picture's gradient makes it harder to tell."""
    torch.manual_seed(0)
    network = Discriminator(1, 32).double()
    for layer in network.parameters():
        layer.data.mul_(2)
    picture = torch.rand(1, 1, 32, 32, dtype=torch.float64, requires_grad=True)
    loss = network.loss(picture, seen=False)
    loss.backward()
    assert picture.grad is not None
    moved = (picture - 100 * picture.grad).detach()
    assert network.loss(moved, seen=False) > loss


def test_it_learns_to_tell_squares_from_rings() -> None:
    torch.manual_seed(0)
    network = Discriminator(1, 32)
    square = torch.zeros(1, 1, 32, 32)
    square[:, :, 8:24, 8:24] = 1
    ring = square.clone()
    ring[:, :, 12:20, 12:20] = 0
    adam = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(60):
        loss = network.loss(square, seen=True) + network.loss(ring, seen=False)
        adam.zero_grad()
        loss.backward()
        adam.step()
    assert loss < 0.2
    assert network(square).min() > 0 > network(ring).max()
