"""Which parts of a photo the network is to see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from iid_residual.faces.find import Face, can_find, find_faces
from iid_residual.settings import ResidualOptions
from intrinsic_cli.api import DataError, Region, UsageError

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

_FEATHER = 0.12
_FACE = "face"
#: A single face whose square is so much of a square photo needs no cutting out.
_WHOLE, _SQUARE = 0.75, 1.2
#: Up to this a face is left as it stands where its light is given in the photo's own directions.
_UPRIGHT = 25.0
_NONE = "no face was found, so the photo was taken whole"
_NO_FINDER = "there is nothing to find faces with, so the photo was taken whole"
_HINT = "give -O box=x,y,w,h, -O face_model=yunet.onnx or pip install 'intrinsic-cli[faces]'"


def regions_of(photo: Image, options: ResidualOptions) -> Sequence[Region]:
    """The faces of a photo [H,W,3], or all of it. DataError where there are none and ``strict`` is
    set."""
    if options.box:
        return [Region(read_box(options.box), label=_FACE, feather=_FEATHER)]
    if options.find == "whole":
        return [_whole(photo)]
    finder = can_find(options.face_model)
    faces = find_faces(photo, options.face_model, options.max_faces) if finder else []
    if not faces:
        told = _NONE if finder else _NO_FINDER
        if options.strict:
            raise DataError(told.partition(",")[0], _HINT)
        return [_whole(photo, told)]
    if len(faces) == 1 and _is_crop(photo, faces[0]):
        return [replace(_whole(photo), confidence=faces[0].confidence)]
    return [_region(face, bool(options.light)) for face in faces]


def read_box(text: str) -> tuple[float, float, float, float]:
    """``x,y,w,h`` → four numbers. UsageError where it is none."""
    try:
        x, y, width, height = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"box={text} is no box", "give x,y,w,h in pixels") from None
    if width <= 0 or height <= 0:
        raise UsageError(f"box={text} has no area", "give x,y,w,h in pixels")
    return x, y, width, height


def _whole(photo: Image, note: str = "") -> Region:
    region = Region.whole(photo.shape[0], photo.shape[1], label=_FACE)
    return replace(region, facts={"note": note}) if note else region


def _is_crop(photo: Image, face: Face) -> bool:
    height, width = photo.shape[:2]
    shorter, longer = sorted((height, width))
    square = longer <= _SQUARE * shorter
    return square and bool(face.pose.side >= _WHOLE * shorter)


def _region(face: Face, as_it_stands: bool) -> Region:
    angle = face.pose.angle
    if as_it_stands and abs(angle) <= _UPRIGHT:
        angle = 0.0
    return Region(face.pose.box, angle, _FACE, face.confidence, _FEATHER)
