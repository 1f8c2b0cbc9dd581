"""One photo of CUB-200-2011 with what is marked in it, whichever files say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from iid_mesh.data.square import Box
from intrinsic_cli.kit.data.layer_files import read_layer

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Split
    from intrinsic_cli.api.outputs import Image

KEYPOINTS = 15


@dataclass(frozen=True, slots=True)
class Annotated:
    """``silhouette`` is a mask [H,W] or the file of one; ``box`` counts pixels from 0, as do the
    ``keypoints`` [15,3], with 1 where visible. ``parts`` is the file of part maps, if there is
    one."""

    photo: Path
    silhouette: Image | Path
    box: Box
    keypoints: Image
    parts: Path | None = None

    def files(self) -> Sequence[Path]:
        """The files without which it cannot be read."""
        if isinstance(self.silhouette, Path):
            return [self.photo, self.silhouette]
        return [self.photo]

    def mask(self) -> Image:
        """Where the bird is [H,W]. Several people drew each bird of the files: what more than half
        of them saw."""
        if not isinstance(self.silhouette, Path):
            return self.silhouette
        votes = read_layer(self.silhouette)[..., 0]
        return (votes > 0.5).astype(np.float32)


Splits: TypeAlias = "Mapping[Split, Sequence[Annotated]]"
