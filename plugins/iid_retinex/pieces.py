"""An object on black comes in pieces where deep shadow cuts it. Each is integrated on its own, and
how bright the light is on one, compared with the next, no step tells: they get the same light."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from intrinsic_cli.kit.files.opencv import cv2


def same_light(field: Tensor, known: Tensor) -> Tensor:
    """Log light [B,1,H,W] whose mean is 0 on every connected piece of ``known`` [B,1,H,W] bool, and
    goes on smoothly where nothing is known."""
    levelled = [_level_pieces(one, mask) for one, mask in zip(field, known, strict=True)]
    return fill_gaps(torch.stack(levelled), known)


def _level_pieces(field: Tensor, known: Tensor) -> Tensor:
    """``field`` [1,H,W] less its mean on each piece; piece 0 is what is not known."""
    labels = label_pieces(known[0])
    sizes = torch.bincount(labels.flatten())
    totals = torch.bincount(labels.flatten(), weights=field.flatten())
    means = (totals / sizes.clamp(min=1)).to(field.dtype)
    return field - means[labels]


def label_pieces(mask: Tensor) -> Tensor:
    """[H,W] bool → [H,W] int64: 0 where False, else the number of the connected piece."""
    pixels = mask.cpu().numpy().astype(np.uint8)
    labels = cv2.connectedComponents(pixels, connectivity=4)[1]
    return torch.from_numpy(labels.astype(np.int64)).to(mask.device)


def fill_gaps(field: Tensor, known: Tensor) -> Tensor:
    """``field`` [B,1,H,W] where ``known``; elsewhere means of what is known nearby, taken from ever
    coarser copies (the pull and push of Gortler et al., "The lumigraph", 1996)."""
    height, width = field.shape[-2:]
    if max(height, width) == 1 or bool(known.all()):
        return field
    share = known.to(field.dtype)
    total = functional.avg_pool2d(field * share, 2, ceil_mode=True)
    count = functional.avg_pool2d(share, 2, ceil_mode=True)
    coarse = fill_gaps(total / count.clamp(min=1e-6), count > 0)
    wide = functional.interpolate(
        coarse, size=(height, width), mode="bilinear", align_corners=False
    )
    return torch.where(known, field, wide)
