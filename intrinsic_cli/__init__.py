"""Intrinsic images from the command line: albedo, shading and meshes from photos, with methods as
plugins. From Python:

    import intrinsic_cli
    network = intrinsic_cli.open("flow")
    albedo = network("photo.jpg").layers["albedo"]  # [H,W,3] float32, linear
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from intrinsic_cli.runs.session import Session

__version__ = "0.1.0"


def open(
    method: str = "flow",
    *,
    options: Mapping[str, Any] | Sequence[str] = (),
    weights: str | Path = "",
    device: str = "auto",
    precision: str = "auto",
    seed: int = 0,
) -> Session:
    """Open the network of ``NAME[:VARIANT]`` once and take photos apart with it: see
    :class:`~intrinsic_cli.runs.session.Session`.

    ``options`` by name (``iid methods NAME`` lists them), ``weights`` a file or name other than the
    method's own, ``device`` ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``, ``precision``
    ``auto``, ``fp32``, ``bf16`` or ``fp16``. UsageError, WeightsError."""
    from intrinsic_cli.runs.session import Session, choose

    return Session(choose(method, options, weights), device, precision, seed)
