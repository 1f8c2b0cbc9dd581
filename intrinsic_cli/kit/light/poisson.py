"""A field from its gradient: weighted least squares with free (Neumann) boundaries.

Find x that minimises ``Σ w (∇x − g)²`` over the edges between neighbouring pixels. Where every
weight is 1 the cosine transform diagonalises the problem and one division solves it (Frankot &
Chellappa 1988). Where some edges have no weight (around an object on black), that solution is the
start and the preconditioner of conjugate gradients, which take about ten rounds whatever the size
of the photo. A round takes 40 ms for a megapixel on one CPU thread.

A field is [B,1,H,W]; its gradient is the pair (down, right) of forward differences, [B,1,H-1,W] and
[B,1,H,W-1]."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import pad

#: Differences from each pixel to the one below it and to the one on its right.
Gradient = tuple[Tensor, Tensor]

#: Error left, relative to the field, by the energy of gradients; 1e-3 leaves .1 in smooth waves.
_TOLERANCE = 1e-5
_ROUNDS = 50  # holes all over the photo take as many; an object on black takes five to twenty


def gradient(field: Tensor) -> Gradient:
    """[...,H,W] → its forward differences."""
    return field.diff(dim=-2), field.diff(dim=-1)


def integrate(slope: Gradient, weight: Gradient) -> Tensor:
    """The field [B,1,H,W] whose gradient is closest to ``slope`` on edges of ``weight`` 1; edges of
    weight 0 are free.

    Its constant is arbitrary. Regions that no weighted edge connects keep the offsets they have
    when free edges are taken for flat ones."""
    goal = divergence(_times(slope, weight))
    field = solve_evenly(goal)
    for i in range(len(field)):  # one by one: some photos are done at once, others take many rounds
        field[i] = _refine(field[i], goal[i], (weight[0][i], weight[1][i]))
    return field


def _refine(field: Tensor, goal: Tensor, weight: Gradient) -> Tensor:
    """Conjugate gradients from ``field`` [1,H,W] on, until the energy of its error is small."""
    enough = _TOLERANCE**2 * _dot(goal, field)
    rest = goal - _laplacian(field, weight)
    course = bent = solve_evenly(rest)
    energy = _dot(rest, bent)
    for _ in range(_ROUNDS):
        if energy <= enough:
            break
        pull = _laplacian(course, weight)
        step = energy / _dot(course, pull)
        field, rest = field + step * course, rest - step * pull
        bent = solve_evenly(rest)
        energy, before = _dot(rest, bent), energy
        course = bent + energy / before * course
    return field


def solve_evenly(goal: Tensor, screen: float = 0.0) -> Tensor:
    """Solve ``screen · x − Δx = goal`` [...,H,W] with free boundaries and every weight 1. Without a
    screen x has mean 0."""
    height, width = goal.shape[-2:]
    waves = cosines(cosines(goal).mT)  # [...,W,H]
    stiffness = _stiffness(width, goal)[:, None] + _stiffness(height, goal)
    stiffness += screen
    if not screen:
        stiffness[0, 0] = math.inf  # a constant has no gradient
    return uncosines(uncosines(waves / stiffness).mT)


def cosines(signal: Tensor) -> Tensor:
    """The cosine transform (DCT-II) of the last dimension, by a Fourier transform of the same
    length.

    ``X[k] = Σ x[n] cos(π k (2n + 1) / 2N)``; Makhoul, "A fast cosine transform in one and two
    dimensions", 1980."""
    count = signal.shape[-1]
    even = signal[..., ::2]
    odd = signal[..., 1::2]
    folded = torch.cat([even, odd.flip(-1)], dim=-1)
    spectrum = torch.fft.rfft(folded)
    spectrum = spectrum * _twist(count, -1, signal)
    last = (count + 1) // 2
    mirrored = spectrum.imag[..., 1:last]
    mirrored = mirrored.flip(-1)
    return torch.cat([spectrum.real, -mirrored], dim=-1)


def uncosines(waves: Tensor) -> Tensor:
    """The inverse of :func:`cosines`."""
    count = waves.shape[-1]
    mirrored = pad(waves.flip(-1), (1, 0))  # X[N-k], with X[N] = 0
    mirrored = mirrored[..., :-1]
    spectrum = torch.complex(waves, -mirrored)
    spectrum = spectrum[..., : count // 2 + 1]
    spectrum = spectrum * _twist(count, 1, waves)
    folded = torch.fft.irfft(spectrum, n=count)
    last = (count + 1) // 2
    signal = torch.empty_like(folded)
    signal[..., ::2] = folded[..., :last]
    signal[..., 1::2] = folded[..., last:].flip(-1)
    return signal


def _twist(count: int, sign: int, like: Tensor) -> Tensor:
    angles = torch.arange(count // 2 + 1, device=like.device, dtype=like.dtype) * (
        sign * math.pi / (2 * count)
    )
    return torch.polar(torch.ones_like(angles), angles)


def _stiffness(count: int, like: Tensor) -> Tensor:
    """Eigenvalues of the second difference, 4 sin² (π k / 2N), [N]."""
    waves = torch.arange(count, device=like.device, dtype=like.dtype)
    return 4 * (waves * (math.pi / (2 * count))).sin().square()


def divergence(slope: Gradient) -> Tensor:
    """The adjoint of :func:`gradient`."""
    down, right = slope
    return (
        pad(down, (0, 0, 1, 0)) - pad(down, (0, 0, 0, 1)) + pad(right, (1, 0)) - pad(right, (0, 1))
    )


def _laplacian(field: Tensor, weight: Gradient) -> Tensor:
    return divergence(_times(gradient(field), weight))


def _times(slope: Gradient, weight: Gradient) -> Gradient:
    return slope[0] * weight[0], slope[1] * weight[1]


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum()
