"""Where the objects of a photo are: as its alpha says (or the mask that was given), as a
segmentation network says, against a background of one colour, or as GrabCut guesses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from iid_mesh.grabcut import grabcut
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.light.colour import linear_to_srgb

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

#: A segmentation network: photo [H,W,3], sRGB 0..1 → where the object is [H,W], 0..1.
Model = Callable[["Image"], "Image"]

GUESSED = (
    "its silhouette is a guess (GrabCut); give --mask FILE, a photo with alpha, or "
    "-O mask_model=FILE.onnx"
)
NOT_FOUND = "no object was found in it, so an ellipse in its middle is taken for one"

_FLAT = 0.97  # share of the photo's border that has the background's one colour
_SAME = 2.5 / 255  # by how much codes of one colour differ
_LEAST, _MOST = 0.01, 0.95  # shares of the photo that an object fills
_ELLIPSE = 0.8  # of the photo's sides


@dataclass(frozen=True, slots=True)
class Silhouette:
    """``mask`` [H,W] in 0..1, ``source`` the word for where it is from (``alpha``, ``model``,
    ``background``, ``grabcut``, ``ellipse``), and ``notes`` on what is doubtful about it."""

    mask: Image
    source: str
    notes: tuple[str, ...] = field(default=())


def has_alpha(photo: Image) -> bool:
    """Does the alpha of a photo [H,W,4] tell an object from what is around it?"""
    alpha = photo[..., 3]
    return bool(alpha.min() < 0.5 < alpha.max())


def find_silhouette(photo: Image, model: Model | None = None) -> Silhouette:
    """The silhouette of all objects in a photo [H,W,4] linear with alpha."""
    if has_alpha(photo):
        return Silhouette(np.ascontiguousarray(photo[..., 3]), "alpha")
    colours = linear_to_srgb(np.clip(photo[..., :3], 0, 1))
    if model is not None:
        return _plausible(Silhouette(model(colours), "model"))
    background = flat_background(colours)
    if background is not None:
        return Silhouette((~background).astype(np.float32), "background")
    return _plausible(Silhouette(grabcut(colours), "grabcut", (GUESSED,)))


def flat_background(colours: Image) -> NDArray[np.bool_] | None:
    """Where a photo [H,W,3], sRGB 0..1, shows the one colour of its border, bool [H,W]; None where
    the border has several. Only what hangs together with the border is background."""
    colour = np.median(_border(colours), axis=0)
    same = np.abs(colours - colour).max(axis=2) <= _SAME
    if _border(same).mean() < _FLAT:
        return None
    _, labels = cv2.connectedComponents(same.astype(np.uint8), connectivity=4)
    reached = np.unique(_border(labels))
    background = np.isin(labels, reached[reached > 0])
    share = 1 - float(background.mean())
    return background if _LEAST < share < _MOST else None


def _border(planes: NDArray[Any]) -> NDArray[Any]:
    """The outermost pixels of [H,W] or [H,W,C], one after the other."""
    sides = (planes[0], planes[-1], planes[:, 0], planes[:, -1])
    return np.concatenate(sides)


def _plausible(found: Silhouette) -> Silhouette:
    """What was found, or an ellipse where that is nothing, or all."""
    share = float((found.mask > 0.5).mean())
    if _LEAST < share < _MOST:
        return found
    height, width = found.mask.shape
    across = np.linspace(-1, 1, width)
    down = np.linspace(-1, 1, height)[:, None]
    ellipse = across**2 + down**2 < _ELLIPSE**2
    return Silhouette(ellipse.astype(np.float32), "ellipse", (NOT_FOUND,))
