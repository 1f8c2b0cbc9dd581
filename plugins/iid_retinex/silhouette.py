"""Where the object of a photo is: what its alpha says or, without one, all but a black
background."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from iid_retinex.pieces import label_pieces

_OPAQUE = 0.9  # alpha from which a pixel shows the object alone
_NEARLY_BLACK = 5e-3  # of the mean of what is not black: two codes of an 8-bit photo
_LARGE = 0.05  # share of the photo that a black region at its border fills, to be background
_FRAMES = 0.5  # share of the border it runs along; a dark thing standing in a photo has .2
#: Pixels: where object and background mix, the fall of brightness is neither paint nor light.
_RIM = 1


def find_silhouettes(photos: Tensor) -> Tensor:
    """[B,3,H,W] linear, or [B,4,H,W] with alpha → [B,1,H,W] bool, True where the object is.

    A photo that is opaque everywhere and has no black background is True everywhere.
    """
    return torch.stack([_silhouette(photo) for photo in photos])


def _silhouette(photo: Tensor) -> Tensor:
    """[3 or 4,H,W] → [1,H,W]."""
    opaque = photo[3:4] >= _OPAQUE
    if len(photo) == 4 and not bool(opaque.all()):
        return opaque
    background = _black_background(photo[:3].amax(dim=0))
    if background is None:
        return torch.ones_like(photo[:1], dtype=torch.bool)
    wide = max_pool2d(background[None].float(), 2 * _RIM + 1, stride=1, padding=_RIM)
    return wide == 0


def _black_background(brightness: Tensor) -> Tensor | None:
    """The black that reaches the border of ``brightness`` [H,W], bool, or None where it is small
    (or everything)."""
    lit = brightness[brightness > 0]
    if len(lit) == 0:
        return None
    black = brightness <= _NEARLY_BLACK * lit.mean()
    if float(black.float().mean()) < _LARGE:
        return None
    labels = label_pieces(black)
    edges = torch.cat([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    if float((edges > 0).float().mean()) < _FRAMES:
        return None
    reached = torch.bincount(edges, minlength=int(labels.max()) + 1) > 0
    reached[0] = False  # what is not black
    background = reached[labels]
    share = float(background.float().mean())
    return background if _LARGE <= share < 1 else None
