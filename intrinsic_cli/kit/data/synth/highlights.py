"""Highlights apart from paint.

What a surface mirrors of the lights has no part in its reflectance: paint is what is left, and the
photo is albedo · shading + residual."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.kit.data.crops import DARK, WHITE
from intrinsic_cli.kit.light.colour import brightest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.kit.data.rows import Sample


def highlight_apart(sample: Sample, highlight: Image, known: NDArray[np.bool_]) -> Sample:
    """A composed sample whose albedo holds the ``highlight`` [S,S,3] (in the photo's exposure) →
    one whose albedo is paint alone, and whose ``residual`` [S,S,3] is what the highlight adds to
    the photo, which clips at 1.

    Where it is the highlight alone that clips the photo of a ``known`` [S,S] surface, the truth
    holds after all."""
    shading = sample["shading"]
    reflected = sample["albedo"] * shading
    diffuse = np.maximum(reflected - highlight, 0)
    albedo = diffuse / np.maximum(shading, 1e-6)
    residual = np.minimum(diffuse + highlight, 1) - np.minimum(diffuse, 1)
    clipped = brightest(sample["photo"]) >= WHITE
    below = brightest(diffuse) < WHITE
    lit = -brightest(-shading) > DARK
    glinting = known & clipped & below & lit
    mask = (sample["mask"] > 0) | glinting[..., None]
    return {
        **sample,
        "albedo": albedo.astype(np.float32),
        "residual": residual.astype(np.float32),
        "mask": mask.astype(np.float32),
    }
