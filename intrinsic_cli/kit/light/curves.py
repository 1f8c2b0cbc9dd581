"""Transfer curves of colour profiles: codes in 0..1 → linear light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.kit.light.colour import srgb_to_linear

#: How far two curves may differ and still be the same: less than the first step of 8 bits.
_SAME = 2e-3


@dataclass(frozen=True, slots=True)
class Formula:
    """ICC.1 section 10.18: (a·x + b)^g + e from ``d`` on, c·x + f below."""

    g: float
    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 0.0
    e: float = 0.0
    f: float = 0.0

    def __call__(self, codes: NDArray[Any]) -> NDArray[np.float64]:
        """Any shape; codes above 1 follow the power on."""
        values = np.asarray(codes, np.float64)
        line = self.c * values + self.f
        power = self._power(values)
        return np.where(values >= self.d, power, line)

    def _power(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        base = np.maximum(self.a * values + self.b, 0.0)
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(base**self.g + self.e)


@dataclass(frozen=True, slots=True)
class Table:
    """Values at even distances from 0 to 1, with straight lines between."""

    values: NDArray[np.float64]

    def __call__(self, codes: NDArray[Any]) -> NDArray[np.float64]:
        """Any shape; codes above 1 follow the last line on."""
        wanted = np.asarray(codes, np.float64)
        places = np.linspace(0.0, 1.0, len(self.values))
        inside = np.interp(wanted, places, self.values)
        over = np.maximum(wanted - 1.0, 0.0)
        beyond = over * self._last_slope()
        return np.asarray(inside + beyond)

    def _last_slope(self) -> float:
        before, last = self.values[-2:]
        lines = len(self.values) - 1
        return float((last - before) * lines)


#: Luminance of a white page in HDR pictures, cd/m² (ITU-R BT.2408), and the code of it in HLG.
WHITE, _HLG_WHITE = 203.0, 0.75
_BRIGHTEST = 10_000.0  # of PQ, cd/m²
#: c1, c2, c3, m1, m2 of PQ; a, b, c of HLG.
_PQ = (3424 / 4096, 2413 / 128, 2392 / 128, 2610 / 16384, 2523 / 32)
_HLG = (0.17883277, 0.28466892, 0.55991073)


@dataclass(frozen=True, slots=True)
class Quantizer:
    """The perceptual quantizer, PQ (SMPTE ST 2084), of which a white page becomes 1."""

    def __call__(self, codes: NDArray[Any]) -> NDArray[np.float64]:
        """Any shape, 0..1 → up to about 49."""
        c1, c2, c3, m1, m2 = _PQ
        values = np.clip(np.asarray(codes, np.float64), 0.0, 1.0)
        root = values ** (1 / m2)
        above = np.maximum(root - c1, 0.0)
        below = c2 - c3 * root
        light = (above / below) ** (1 / m1)
        return np.asarray(light * (_BRIGHTEST / WHITE))


@dataclass(frozen=True, slots=True)
class HybridLog:
    """Hybrid log-gamma, HLG (ITU-R BT.2100): the light of the scene, of which a white page becomes
    1."""

    def __call__(self, codes: NDArray[Any]) -> NDArray[np.float64]:
        """Any shape, 0..1 → up to about 3.8."""
        values = np.clip(np.asarray(codes, np.float64), 0.0, 1.0)
        white = self._scene(np.array(_HLG_WHITE))
        return np.asarray(self._scene(values) / white)

    def _scene(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The inverse of the camera's curve."""
        a, b, c = _HLG
        dark = values <= 0.5
        square = values**2 / 3
        power = np.exp((values - c) / a)
        exponential = (power + b) / 12
        return np.where(dark, square, exponential)


Curve = Formula | Table | Quantizer | HybridLog


def is_srgb(curve: Curve) -> bool:
    """Is it the curve of sRGB, as nearly as programs write it?"""
    codes = np.linspace(0.0, 1.0, 256)
    return bool(np.abs(curve(codes) - srgb_to_linear(codes)).max() < _SAME)


def code_table(curve: Curve, dtype: np.dtype[Any]) -> NDArray[np.float32]:
    """The linear value of every code of uint8 or uint16, [256] or [65536] float32."""
    top = np.iinfo(dtype).max
    codes = np.arange(top + 1, dtype=np.float64) / top
    return curve(codes).astype(np.float32)


def formula_of(kind: int, numbers: Sequence[float]) -> Formula:
    """The formula of one of the five kinds that profiles have. ValueError for other kinds, missing
    numbers, and such as make no curve."""
    if not 0 <= kind < len(_LENGTHS) or len(numbers) < _LENGTHS[kind]:
        raise ValueError("no curve of a known kind")
    g, a, b, c, d, e, f = (*numbers[: _LENGTHS[kind]], *_REST[_LENGTHS[kind] :])
    if not np.isfinite(numbers).all() or not 0 < g < _STEEPEST:
        raise ValueError("a curve with a power that makes no sense")
    if kind == 0:
        return Formula(g)
    if kind in (1, 2):
        # What follows b is a constant, here in the place of c; below -b / a there is nothing else.
        return Formula(g, a, b, 0.0, -b / a if a else 0.0, c, c)
    return Formula(g, a, b, c, d, e, f)


#: How many numbers the formulas of kind 0 to 4 have, what stands for those that one lacks, and the
#: highest power that a picture was ever stored with.
_LENGTHS = (1, 3, 4, 5, 7)
_REST = (1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0)
_STEEPEST = 20.0
