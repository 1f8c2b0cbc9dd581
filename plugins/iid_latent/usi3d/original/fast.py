"""The published networks' inference on CPUs: the same layers within 1e-4, with a quarter of the
products.

Only what a decomposition needs is kept. Maps are ``[B,H,W,C]`` in memory; convolutions of 3x3 and
4x4 and the phases of the doubled 5x5 ones go through :mod:`winograd
<iid_latent.usi3d.original.winograd>`; norms work in place; biases that a norm takes away again are
left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from iid_latent.usi3d.original.domain import ContentEncoder, Decoder, StyleEncoder
from iid_latent.usi3d.original.layers import EPSILON, ConvBlock, LayerNorm
from iid_latent.usi3d.original.phase import add_edges, phase_weights
from iid_latent.usi3d.original.winograd import Winograd, replicate

Adaptation = tuple[Tensor, Tensor]


class FastEncoders:
    """Content and style of photos ``[B,3,H,W]``, content as ``[B,H/4,W/4,C]``."""

    def __init__(self, content: ContentEncoder, style: StyleEncoder) -> None:
        first_of_content, *halvings = _blocks(content.model)
        first_of_style, *style_halvings = _blocks(style.model)
        self._first = _FirstConvolutions(first_of_content, first_of_style)
        self._content = [Winograd(block.conv.weight) for block in halvings]
        self._residual = FastResBlocks(content.model[3])
        self._style = [Winograd(block.conv.weight, _bias(block)) for block in style_halvings]
        self._head = style.model[5:]

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        content, style = self._first(x)
        content = _adapt(content).relu_()
        for halve in self._content:
            content = _adapt(halve(content)).relu_()
        style = style.relu_()
        for halve in self._style:
            style = halve(style).relu_()
        return self._residual(content), self._head(_planes(style))


class _FirstConvolutions:
    """Those of both encoders, which see the same photo, as one: ``[B,3,H,W]`` → ``[B,H,W,C]``
    each."""

    def __init__(self, content: ConvBlock, style: ConvBlock) -> None:
        weights = [content.conv.weight, style.conv.weight]
        weight = torch.cat(weights).detach()
        self._weight = weight.contiguous(memory_format=torch.channels_last)
        unbiased = torch.zeros(content.conv.out_channels)
        self._bias = torch.cat([unbiased, _bias(style)])

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        padded = F.pad(x, (3, 3, 3, 3), mode="reflect")
        padded = padded.contiguous(memory_format=torch.channels_last)
        both = _rows(F.conv2d(padded, self._weight, self._bias))
        content, style = both.chunk(2, dim=3)
        return content.contiguous(), style.contiguous()


class FastResBlocks:
    """Residual blocks on ``[B,h,w,C]``."""

    def __init__(self, blocks: nn.Module) -> None:
        self._convs = [Winograd(block.conv.weight) for block in _blocks(blocks.modules())]

    def __call__(self, x: Tensor, adaptations: Sequence[Adaptation] = ()) -> Tensor:
        """``adaptations``: one for each convolution, or none at all."""
        count = len(self._convs)
        given: Sequence[Adaptation | None] = adaptations or [None] * count
        for i in range(0, count, 2):
            first, second = self._convs[i : i + 2]
            y = _adapt(first(x), given[i])
            y = second(y.relu_())
            x = _adapt(y, given[i + 1]).add_(x)
        return x


class FastDecoder:
    """Content ``[B,h,w,C]`` and adaptations → image ``[B,3,4h,4w]`` in (-1,1)."""

    def __init__(self, decoder: Decoder) -> None:
        *doublings, last = _blocks(decoder.model)
        self._residual = FastResBlocks(decoder.model[0])
        self._doublings = [_Doubling(block) for block in doublings]
        self._weight = _by_two(last.conv.weight.detach())
        self._bias = _bias(last).repeat_interleave(4)

    def __call__(self, content: Tensor, adaptations: Sequence[Adaptation]) -> Tensor:
        x = self._residual(content, adaptations)
        for double in self._doublings:
            x = double(x)
        padded = F.pad(_planes(x), (3, 3, 3, 3), mode="reflect")
        parts = F.conv2d(padded, self._weight, self._bias, stride=2)
        return F.pixel_shuffle(parts, 2).tanh_()


class _Doubling:
    """Twice as large, 5x5, layer norm, ReLU."""

    def __init__(self, block: ConvBlock) -> None:
        self._weight = block.conv.weight.detach()
        phases = phase_weights(self._weight).permute(1, 2, 0, 3, 4, 5).flatten(0, 2)
        self._conv = Winograd(phases, _bias(block), replicate, up=2)
        self._norm: LayerNorm = block.norm

    def __call__(self, x: Tensor) -> Tensor:
        y = self._conv(x)
        add_edges(_planes(y), _planes(x), self._weight)
        for sample in y:
            values = sample.sub_(sample.mean()).view(-1)
            std = (values.dot(values) / (len(values) - 1)).sqrt()
            sample.mul_(self._norm.gamma / (std + EPSILON)).add_(self._norm.beta).relu_()
        return y


def _adapt(x: Tensor, adaptation: Adaptation | None = None) -> Tensor:
    """Instance norm of ``[B,H,W,C]``, then (scale, shift). A batch norm of one sample is the same
    and three times as fast as torch's instance norm in this layout."""
    normed = []
    for i, sample in enumerate(torch.split(_planes(x), 1)):
        scale: Tensor | None = None
        shift: Tensor | None = None
        if adaptation is not None:
            scale, shift = (part[i].flatten() for part in adaptation)
        y = F.batch_norm(sample, None, None, scale, shift, training=True, eps=EPSILON)
        normed.append(_rows(y))
    if len(normed) == 1:  # saves a copy
        return normed[0]
    return torch.cat(normed)


def _by_two(weight: Tensor) -> Tensor:
    """``[O,C,7,7]`` → ``[4·O,C,8,8]``: four neighbouring outputs at once, for stride 2. Three
    outputs alone leave most of a vector unit idle: 2.7 times as fast."""
    o, c, kernel, _ = weight.shape
    wide = weight.new_zeros(o, 2, 2, c, kernel + 1, kernel + 1)
    for p in range(2):
        for q in range(2):
            wide[:, p, q, :, p : p + kernel, q : q + kernel] = weight
    return wide.flatten(0, 2).contiguous(memory_format=torch.channels_last)


def _blocks(modules: Iterable[nn.Module]) -> list[ConvBlock]:
    return [module for module in modules if isinstance(module, ConvBlock)]


def _bias(block: ConvBlock) -> Tensor:
    assert block.conv.bias is not None  # all of them have one
    return block.conv.bias.detach()


def _rows(x: Tensor) -> Tensor:
    """``[B,C,H,W]`` → ``[B,H,W,C]``, contiguous."""
    return x.permute(0, 2, 3, 1).contiguous()


def _planes(x: Tensor) -> Tensor:
    """``[B,H,W,C]`` seen as ``[B,C,H,W]``, channels last."""
    return x.permute(0, 3, 1, 2)
