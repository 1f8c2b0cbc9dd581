"""What the codes of a photo mean, as numbers alone, for whoever looks them up elsewhere than here:
on a GPU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.kit.files.code_profile import profile_of
from intrinsic_cli.kit.files.icc import GRAY, RGB, Profile, adobe_rgb
from intrinsic_cli.kit.files.metadata import Metadata
from intrinsic_cli.kit.files.profiled import understood
from intrinsic_cli.kit.light.colour import decoding_table
from intrinsic_cli.kit.light.curves import code_table


@dataclass(frozen=True, slots=True)
class Transfer:
    """``tables`` [1 or 3,256 or 65536]: the light of every code, one for all colours or one for
    each; ``matrix`` [3,3] leads from there to the primaries of sRGB, where negative light becomes
    none; None where these are its own."""

    tables: NDArray[np.float32]
    matrix: NDArray[np.float32] | None = None


def transfer_of(dtype: np.dtype[Any], encoding: str, metadata: Metadata) -> Transfer | None:
    """Of codes of uint8 or uint16 that were understood as ``encoding`` (see
    :class:`~intrinsic_cli.kit.files.photo.Photo`). None where only a colour engine knows."""
    if encoding != "icc":
        table = decoding_table(dtype.name, encoding)
        return Transfer(table[None])
    profile = followed_profile(metadata)
    if profile is None or profile.space not in (RGB, GRAY) or not profile.curves:
        return None
    tables = np.stack([code_table(curve, dtype) for curve in profile.curves])
    if profile.matrix is None:
        return Transfer(np.maximum(tables, 0.0))
    return Transfer(tables, profile.matrix.astype(np.float32))


def followed_profile(metadata: Metadata) -> Profile | None:
    """By which the colours of a file are understood; None where it names none that can be."""
    if metadata.points:
        return profile_of(metadata.points)
    return adobe_rgb() if metadata.is_adobe_rgb else understood(metadata.profile)
