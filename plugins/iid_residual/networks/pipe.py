"""One network for all variants: which parts it has and how they work together is read off the
table."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from iid_residual.harmonics import shade, unit
from iid_residual.networks import lite, sfsnet, skipnet
from iid_residual.networks.clues import Clues
from iid_residual.variants import Design

Backbone = Literal["lite", "paper"]

#: What normals a network draws: unit vectors; (n + 1) / 2; or (n + 1) / 2 that its harmonics take
#: as if they were vectors.
SIGNED, SHIFTED, RAW = 0, 1, 2


@dataclass(slots=True)
class Prediction:
    """What a network says of photos [B,3,H,W].

    ``normals`` are unit vectors [B,3,h,w], x down, y right; ``light`` [B,27] or None; ``harmonic``
    the shading made of both, or None; ``residual`` what is added to it, or None; ``shading`` all of
    the shading; ``rebuilt`` = albedo · shading; ``darker`` the albedo less the residual, where a
    variant has one; ``outline`` [B,1,h,w] is a logit of where the head is, None where a network
    does not say. Nothing but the normals is clamped."""

    normals: Tensor
    albedo: Tensor
    light: Tensor | None
    harmonic: Tensor | None
    residual: Tensor | None
    shading: Tensor
    rebuilt: Tensor
    darker: Tensor | None = None
    outline: Tensor | None = None


class Conventions(nn.Module):
    """What published weights do differently from ours, kept beside them as numbers."""

    encoding: Tensor
    zero_border: Tensor
    srgb: Tensor

    def __init__(self, encoding: int = SIGNED, zero_border: bool = False, srgb: bool = False):
        super().__init__()
        self.register_buffer("encoding", torch.tensor(encoding))
        self.register_buffer("zero_border", torch.tensor(int(zero_border)))
        self.register_buffer("srgb", torch.tensor(int(srgb)))


@dataclass(frozen=True, slots=True)
class Parts:
    """What a network is made of; each takes the width."""

    entrance: Callable[[int], nn.Module]
    features: Callable[[int], nn.Module]
    generator: Callable[[int], nn.Module]
    light: Callable[[int], nn.Module]
    residual: Callable[[int], nn.Module]
    mix: Callable[[int], nn.Module]
    outline: Callable[[int], nn.Module] | None = None


PARTS = {
    "paper": Parts(
        sfsnet.Entrance,
        sfsnet.Features,
        sfsnet.Generator,
        sfsnet.LightEstimator,
        sfsnet.ResidualHead,
        sfsnet.MixHead,
    ),
    "lite": Parts(
        lite.Entrance,
        lite.Features,
        lite.Generator,
        lite.LightEstimator,
        lite.ResidualHead,
        lite.MixHead,
        lite.Outline,
    ),
}


class Pipe(nn.Module):
    """SfSNet and its seven relatives. ``encoding`` says what its normals' numbers mean."""

    def __init__(self, design: Design, backbone: Backbone, width: int) -> None:
        super().__init__()
        parts = PARTS[backbone]
        self.design, self.encoding = design, SIGNED
        #: Parts that do not learn; their norms keep their statistics.
        self.frozen: frozenset[str] = frozenset()
        self.conv_model = parts.entrance(width)
        self.normal_residual_model = parts.features(width)
        self.normal_gen_model = parts.generator(width)
        self.albedo_residual_model = parts.features(width)
        self.albedo_gen_model = parts.generator(width)
        if design.harmonic:
            self.light_estimator_model = parts.light(width)
        if design.second:
            self.albedo_residual_model_2 = parts.features(width)
        if design.residual:
            self.add_module(design.residual, parts.residual(width))
        if design.mix:
            self.add_module(design.mix, parts.mix(width))
        self.outline_model = parts.outline(width) if parts.outline else None

    def freeze(self, learning: Collection[str]) -> None:
        """Only the parts named learn on; all others stay as they are, in evaluation mode. A name
        with a dot is that of a part's part: the rest of it stays as it is, too."""
        self.frozen = frozenset(name for name, _ in self.named_children() if name not in learning)
        self.requires_grad_(False)
        for name in learning:
            self.get_submodule(name).requires_grad_(True)
        self.train(self.training)

    def train(self, mode: bool = True) -> Pipe:
        super().train(mode)
        for name in self.frozen:
            self.get_submodule(name).eval()
        return self

    def forward(self, photo: Tensor) -> Prediction:
        shared = self.conv_model(photo)
        of_normals = self.normal_residual_model(shared)
        of_albedo = self.albedo_residual_model(shared)
        second = self.albedo_residual_model_2(shared) if self.design.second else of_albedo
        drawn = self.normal_gen_model(of_normals)
        made_of = second if self.design.albedo_of_second else of_albedo
        albedo = self.albedo_gen_model(made_of)
        outline = None
        if self.outline_model is not None:
            outline = self.outline_model(of_normals)
        light = harmonic = None
        if self.design.harmonic:
            features = torch.cat([shared, of_normals, of_albedo], 1)
            normals = vectors(drawn, self.encoding)
            clues = Clues(features, photo, normals, albedo, outline)
            light = self.light_estimator_model(clues)
            harmonic = shade(self._lit(drawn), light)
        features = torch.cat([shared, of_normals, second], 1)
        made = self._put_together(drawn, albedo, light, harmonic, features)
        made.outline = outline
        return made

    def _put_together(
        self,
        drawn: Tensor,
        albedo: Tensor,
        light: Tensor | None,
        harmonic: Tensor | None,
        features: Tensor,
    ) -> Prediction:
        """The shading a variant makes of its parts, and the photo it makes of that."""
        design = self.design
        shading = harmonic
        residual = darker = None
        if design.residual:
            size = (drawn.shape[-2], drawn.shape[-1])
            extra = self.get_submodule(design.residual)(features, size)
            if design.mix:
                other = self._lit(drawn) if design.mixes == "normals" else harmonic
                shading = self.get_submodule(design.mix)(other, extra)
            else:
                residual, shading = extra, harmonic + extra
                darker = albedo - extra if design.darkens else None
        assert shading is not None
        normals = vectors(drawn, self.encoding)
        rebuilt = shading * albedo
        return Prediction(normals, albedo, light, harmonic, residual, shading, rebuilt, darker)

    def _lit(self, drawn: Tensor) -> Tensor:
        """Normals as the harmonics take them."""
        return drawn if self.encoding == RAW else vectors(drawn, self.encoding)


class SkipPipe(nn.Module):
    """SkipNet, whose shading is that of its harmonics. All of it learns."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.encoding = SIGNED
        self.encoder = skipnet.Encoder(width)
        self.light_decoder = nn.Linear(4 * width, 27)
        self.normal_decoder = skipnet.Decoder(width)
        self.albedo_decoder = skipnet.Decoder(width)

    def freeze(self, learning: Collection[str]) -> None:
        """Nothing of it stays as it is."""

    def forward(self, photo: Tensor) -> Prediction:
        codes = self.encoder(photo)
        normals = vectors(self.normal_decoder(codes), self.encoding)
        albedo = self.albedo_decoder(codes)
        light = self.light_decoder(codes.code)
        shading = shade(normals, light)
        return Prediction(normals, albedo, light, shading, None, shading, shading * albedo)


Network = Pipe | SkipPipe


def vectors(drawn: Tensor, encoding: int) -> Tensor:
    """What a network draws → unit vectors."""
    return unit(drawn if encoding == SIGNED else 2 * drawn - 1)


def build(design: Design, backbone: Backbone, width: int) -> Network:
    """An untrained network of a variant."""
    if design.skip:
        return SkipPipe(width)
    return Pipe(design, backbone, width)


def follow(network: Network, conventions: Conventions) -> None:
    """Make a network read its numbers as ``conventions`` say."""
    network.encoding = int(conventions.encoding)
    for part in network.modules():
        if isinstance(part, sfsnet.Generator):
            part.zero_border = bool(conventions.zero_border)
