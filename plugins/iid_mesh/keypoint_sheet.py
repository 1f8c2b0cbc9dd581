"""A picture of keypoints carried from photo to photo, beside where they are marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.kit.files.contact_sheet import contact_sheet
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.light.colour import encode_codes, srgb_to_linear

if TYPE_CHECKING:
    from torch import Tensor

    from intrinsic_cli.api.outputs import Image

    Codes = NDArray[np.uint8]

#: Side of the pictures, pixels; positions are drawn to a sixteenth of a pixel.
SIDE = 256
_BITS = 4
_DISC, _RING = 4, 6  # radii, pixels
_WHITE = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class Carried:
    """Keypoints of one photo carried to another: ``marked`` [K,2] in the ``source``, ``true``
    [K,2] in the ``target``, and by the name of each way where it ``found`` them [K,2]; only those
    that both show. All in -1..1."""

    source: Image
    target: Image
    marked: Tensor
    true: Tensor
    found: Mapping[str, Tensor]


def keypoint_sheet(pairs: Sequence[Carried]) -> Codes:
    """A row a pair: the source with its keypoints, and by each way the target, a disc where a
    keypoint was found, with a line to the ring where it is marked. sRGB codes [H,W,3]."""
    names = list(pairs[0].found)
    rows = [_row(pair, names) for pair in pairs]
    columns = ["source", *(f"found by {name} (ring: marked)" for name in names)]
    return contact_sheet(rows, columns, cell=SIDE)


def _row(pair: Carried, names: Sequence[str]) -> list[Image]:
    colours = _colours(len(pair.marked))
    source = _enlarged(pair.source)
    for place, colour in zip(_pixels(pair.marked), colours, strict=True):
        _disc(source, place, colour)
    pictures = [source]
    for name in names:
        target = _enlarged(pair.target)
        places = zip(_pixels(pair.found[name]), _pixels(pair.true), colours, strict=True)
        for found, true, colour in places:
            cv2.line(target, found, true, colour, 1, cv2.LINE_AA, _BITS)
            cv2.circle(target, true, _RING << _BITS, colour, 1, cv2.LINE_AA, _BITS)
            _disc(target, found, colour)
        pictures.append(target)
    return [_linear(picture) for picture in pictures]


def _disc(picture: Codes, place: tuple[int, int], colour: tuple[int, ...]) -> None:
    cv2.circle(picture, place, _DISC << _BITS, colour, cv2.FILLED, cv2.LINE_AA, _BITS)
    cv2.circle(picture, place, _DISC << _BITS, _WHITE, 1, cv2.LINE_AA, _BITS)


def _colours(count: int) -> list[tuple[int, ...]]:
    """As many hues, far apart."""
    codes = np.full((1, count, 3), 255, np.uint8)
    codes[0, :, 0] = np.linspace(0, 180, count, endpoint=False)
    (colours,) = cv2.cvtColor(codes, cv2.COLOR_HSV2RGB)
    rows = colours.tolist()
    return [tuple(row) for row in rows]


def _enlarged(photo: Image) -> Codes:
    codes = encode_codes(np.clip(photo, 0, 1), 8)
    resized = cv2.resize(codes, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, np.uint8)


def _linear(codes: Codes) -> Image:
    linear: Image = srgb_to_linear(codes.astype(np.float32) / 255)
    return linear


def _pixels(places: Tensor) -> list[tuple[int, int]]:
    """Places [K,2] in -1..1 as OpenCV wants them: sixteenths of pixels from the first one's
    middle."""
    pixels = (places.double() + 1) * (SIDE / 2) - 0.5
    rounded = (pixels * (1 << _BITS)).round().int()
    return [(x, y) for x, y in rounded.tolist()]
