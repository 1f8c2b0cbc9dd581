"""Which birds a dataset's path names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iid_mesh.data.birds import Birds
from iid_mesh.data.rendered import RenderedBirds
from intrinsic_cli.kit.data.synth.members import require_splits

if TYPE_CHECKING:
    from pathlib import Path

    from intrinsic_cli.api import Source


def open_birds(path: Path | None = None) -> Source:
    """Made-up birds, or the rendered ones below ``path``, which training mixes with them."""
    if path is None:
        return Birds()
    require_splits(path)
    return RenderedBirds(path)
