"""The generator side of ``usi3d``: three domains that share contents, and the maps between their
priors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

#: One map, or one for each scale.
Content = Any


class Domain(Protocol):
    """Encoders and decoder of photos, albedos or shadings."""

    def encode(self, image: Tensor) -> tuple[Content, Tensor]: ...
    def decode(self, content: Content, prior: Tensor) -> Tensor: ...


def _unchanged(image: Tensor) -> Tensor:
    return image


@dataclass(frozen=True, slots=True)
class Nets:
    """The generator side. Layers may be smaller than the photo (``shrink`` brings a photo to their
    size)."""

    i: Domain
    r: Domain
    s: Domain
    separate: nn.Module
    merge: nn.Module
    shrink: Callable[[Tensor], Tensor] = _unchanged


def decode_all(domain: Domain, codes: Mapping[str, tuple[Content, Tensor]]) -> dict[str, Tensor]:
    """Several contents of one size under a prior each, decoded in one batch."""
    contents, priors = zip(*codes.values(), strict=True)
    content = _joined(list(contents))
    prior = torch.cat(priors)
    batch = domain.decode(content, prior)
    count = len(codes)
    images = batch.chunk(count)
    return dict(zip(codes, images, strict=True))


def encode_all(domain: Domain, images: Mapping[str, Tensor]) -> dict[str, tuple[Content, Tensor]]:
    """Several images of one size, encoded in one batch."""
    count = len(images)
    batch = torch.cat(list(images.values()))
    content, prior = domain.encode(batch)
    contents = _parted(content, count)
    priors = prior.chunk(count)
    codes = zip(contents, priors, strict=True)
    return dict(zip(images, codes, strict=True))


def _joined(contents: list[Content]) -> Content:
    if isinstance(contents[0], Tensor):
        return torch.cat(contents)
    return tuple(torch.cat(maps) for maps in zip(*contents, strict=True))


def _parted(content: Content, count: int) -> list[Content]:
    if isinstance(content, Tensor):
        return list(content.chunk(count))
    parts = [scale.chunk(count) for scale in content]
    return list(zip(*parts, strict=True))
