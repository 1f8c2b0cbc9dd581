"""GrabCut (Rother et al. 2004): the object of a photo, guessed from what fills a rectangle in its
middle and not its border."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.kit.files.opencv import cv2

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intrinsic_cli.api.outputs import Image

_MARGIN = 0.08  # of the rectangle, of the photo's sides
_LONGEST = 384  # side of the photo it sees, pixels
_ROUNDS = 5


def grabcut(colours: Image) -> Image:
    """A photo [H,W,3], sRGB 0..1 → the largest object in its middle [H,W], 0..1."""
    height, width = colours.shape[:2]
    scale = min(1.0, _LONGEST / max(height, width))
    wide = max(8, round(width * scale))
    high = max(8, round(height * scale))
    size = (wide, high)
    small = cv2.resize(colours, size, interpolation=cv2.INTER_AREA)
    inside = _inside((small * 255).astype(np.uint8))
    whole = without_holes(largest(inside))
    resized = cv2.resize(whole, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, np.float32)


def _inside(codes: Image) -> Image:
    """Codes [h,w,3] uint8 → where GrabCut sees the object [h,w], 0 or 1."""
    height, width = codes.shape[:2]
    left = max(1, round(_MARGIN * width))
    top = max(1, round(_MARGIN * height))
    labels = np.full((height, width), cv2.GC_BGD, np.uint8)
    rows = slice(top, height - top)
    columns = slice(left, width - left)
    labels[rows, columns] = cv2.GC_PR_FGD
    return settled(codes, labels, _ROUNDS)


def settled(codes: Image, labels: NDArray[np.uint8], rounds: int) -> Image:
    """Codes [h,w,3] uint8, and labels [h,w] of OpenCV's that say where the object is for certain or
    probably → where GrabCut sees it [h,w], 0 or 1."""
    background = np.zeros((1, 65))
    foreground = np.zeros((1, 65))
    cv2.setRNGSeed(0)  # the same photo gives the same silhouette
    mode = cv2.GC_INIT_WITH_MASK
    cv2.grabCut(codes, labels, None, background, foreground, rounds, mode)
    found = np.isin(labels, [cv2.GC_FGD, cv2.GC_PR_FGD])
    return found.astype(np.float32)


def largest(mask: Image) -> Image:
    """The largest component of a mask [h,w], specks of a pixel or two left out."""
    solid = (mask > 0.5).astype(np.uint8)
    opened = cv2.morphologyEx(solid, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(opened)
    if count < 2:
        return mask
    areas = stats[1:, cv2.CC_STAT_AREA]
    winner = labels == 1 + int(areas.argmax())
    return np.asarray(winner, np.float32)


def without_holes(mask: Image) -> Image:
    """A mask [h,w] whose outlines are filled."""
    solid = (mask > 0.5).astype(np.uint8)
    outlines, _ = cv2.findContours(solid, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = cv2.drawContours(solid, outlines, -1, 1, cv2.FILLED)
    return np.asarray(filled, np.float32)
