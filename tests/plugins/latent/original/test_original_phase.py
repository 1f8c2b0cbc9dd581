"""Short forms of convolutions against their plain ones."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from iid_latent.usi3d.original.phase import add_edges, doubled_conv, phase_weights
from iid_latent.usi3d.original.winograd import Winograd, replicate

SIZES = [(2, 2), (2, 3), (5, 4), (9, 7), (16, 33)]


def plain_doubled(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    doubled = F.interpolate(x, scale_factor=2)
    return F.conv2d(F.pad(doubled, (2, 2, 2, 2), mode="reflect"), weight, bias)


def made(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


def near(ours: Tensor, theirs: Tensor) -> None:
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("batch", [1, 3])
def test_doubled_convolution(size: tuple[int, int], batch: int) -> None:
    x, weight, bias = made(batch, 6, *size), made(4, 6, 5, 5) / 10, made(4)
    near(doubled_conv(x, weight, bias), plain_doubled(x, weight, bias))


def test_gradients_of_the_doubled_convolution() -> None:
    x, weight, bias = (
        y.requires_grad_() for y in (made(2, 3, 4, 5), made(2, 3, 5, 5) / 10, made(2))
    )
    ours = torch.autograd.grad(doubled_conv(x, weight, bias).square().sum(), (x, weight, bias))
    theirs = torch.autograd.grad(plain_doubled(x, weight, bias).square().sum(), (x, weight, bias))
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)


def last_channel(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1).contiguous()


@pytest.mark.parametrize("size", [*SIZES, (17, 300)])
@pytest.mark.parametrize("kernel", [3, 4])
def test_winograd(size: tuple[int, int], kernel: int) -> None:
    x, weight, bias = made(2, 6, *size), made(4, 6, kernel, kernel) / 10, made(4)
    theirs = F.conv2d(
        F.pad(x, (1, 1, 1, 1), mode="reflect"), weight, bias, kernel - 2 if kernel == 4 else 1
    )
    near(Winograd(weight, bias)(last_channel(x)), last_channel(theirs))


@pytest.mark.parametrize("size", SIZES)
def test_winograd_in_phases(size: tuple[int, int]) -> None:
    x, weight, bias = made(2, 6, *size), made(4, 6, 5, 5) / 10, made(4)
    phases = phase_weights(weight).permute(1, 2, 0, 3, 4, 5).flatten(0, 2)
    y = Winograd(phases, bias, replicate, up=2)(last_channel(x)).permute(0, 3, 1, 2)
    add_edges(y, x, weight)
    near(y, plain_doubled(x, weight, bias))
