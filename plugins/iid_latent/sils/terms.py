"""The terms SILS is trained with.

Documented by the paper and by the authors' predecessor code (USIS): layers have separate latent
spaces; what a mixture shares with a layer goes into that layer's space (shared information); spaces
of different layers are independent; self-supervision and cycles through mixtures made of unrelated
exemplars; adversarial losses; the form of the distance D with its constant 1.4 and, in USIS only,
the factor 10. The training code was never published: which terms are formed on which images,
their weights, and measuring features relative to their own size are this reconstruction.

Features are lists over layers of lists over levels; images are lists over layers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import combinations

import torch
from torch import Tensor

ALPHA, SCALE = 1.4, 10.0

Levels = Sequence[Tensor]
#: An image → maps of scores, one for each scale.
DiscriminatorFn = Callable[[Tensor], list[Tensor]]
ErrorFn = Callable[[Tensor, Tensor, Tensor], Tensor]


def found(
    error: ErrorFn, guesses: Sequence[Tensor], truths: Sequence[Tensor], mask: Tensor
) -> Tensor:
    """Self-supervision: exemplars found again in mixtures made of them (and layers drawn from their
    own features)."""
    pairs = zip(guesses, truths, strict=True)
    errors = [error(guess, truth, mask) for guess, truth in pairs]
    return total([each.mean() for each in errors])


def shared_information(mixed: Sequence[Levels], alone: Sequence[Levels]) -> Tensor:
    """A layer has the same features in a mixture and alone: L1, mean over levels, sum over
    layers."""
    return total([_mean_distance(f, g).mean() for f, g in zip(mixed, alone, strict=True)])


def independence(features: Sequence[Levels]) -> Tensor:
    """How alike the features of different layers are: ``1 - D``, mean over pairs of layers, levels
    and samples."""
    alike = []
    for one, other in combinations(features, 2):
        for f, g in zip(one, other, strict=True):
            apart = separation(distance(f, g))
            alike.append(1 - apart)
    return torch.stack(alike).mean()


def separation(l1: Tensor) -> Tensor:
    """D of the paper, from 0.05 (the same) to 1 (far apart): ``sigmoid((10 L1 - α exp(α)) /
    α²)``."""
    return torch.sigmoid((SCALE * l1 - ALPHA * math.exp(ALPHA)) / ALPHA**2)


def distance(f: Tensor, g: Tensor) -> Tensor:
    """Mean absolute difference of features [B,C,H,W], each relative to its own root mean square:
    [B].

    Without that, growing features would be as good as different ones, and shrinking ones as good as
    equal ones."""
    return (_unit(f) - _unit(g)).abs().mean((1, 2, 3))


def adversarial(discriminators: Sequence[DiscriminatorFn], made: Sequence[Tensor]) -> Tensor:
    """Least-squares GAN: every scale of layer k's discriminator should say 1 of what was drawn as
    layer k."""
    return _least_squares(discriminators, made, 1)


def discriminator(
    discriminators: Sequence[DiscriminatorFn], real: Sequence[Tensor], made: Sequence[Tensor]
) -> Tensor:
    """What the discriminators minimise: 1 for exemplars, 0 for what was drawn."""
    of_real = _least_squares(discriminators, real, 1)
    of_made = _least_squares(discriminators, [x.detach() for x in made], 0)
    return of_real + of_made


def _least_squares(
    discriminators: Sequence[DiscriminatorFn], images: Sequence[Tensor], target: float
) -> Tensor:
    """How far the scores of all scales lie from ``target``."""
    errors = []
    for discriminate, image in zip(discriminators, images, strict=True):
        for scores in discriminate(image):
            error = (scores - target).square()
            errors.append(error.mean())
    return total(errors)


def total(terms: Sequence[Tensor]) -> Tensor:
    """Scalars added up."""
    return torch.stack(list(terms)).sum()


def _mean_distance(f: Levels, g: Levels) -> Tensor:
    distances = [distance(a, b) for a, b in zip(f, g, strict=True)]
    return torch.stack(distances).mean(0)


def _unit(x: Tensor) -> Tensor:
    energy = x.square().mean((1, 2, 3), keepdim=True)
    return x / (energy + 1e-8).sqrt()
