"""Which parts of a photo the network is to see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from iid_residual.faces.find import Face, can_find, find_faces
from iid_residual.faces.template import Pose
from iid_residual.settings import ResidualOptions
from intrinsic_cli.api import DataError, Region, UsageError

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

#: The square about a face holds all of the head: so much larger than the template's it is.
ROOM = 1.5
_FEATHER = 0.1
_FACE = "face"
#: The fact of a region that says which box its face lies in: left, top, width, height.
_BOX = "face"
#: A single face whose square is so much of a square photo needs no cutting out.
_WHOLE, _SQUARE = 0.75, 1.2
_NONE = ("no face was found", "if there is one, give -O box=x,y,w,h")
_NO_FINDER = (
    "there is nothing to find faces with",
    "pip install 'intrinsic-cli[faces]', or give -O face_model=yunet.onnx or -O box=x,y,w,h",
)
_BOX_HINT = "give x,y,w,h in pixels of the photo"

Box = tuple[float, float, float, float]


def regions_of(photo: Image, options: ResidualOptions) -> Sequence[Region]:
    """The faces of a photo [H,W,3], or all of it. DataError where there are none and ``strict`` is
    set."""
    if options.box:
        return [_given(photo, read_box(options.box))]
    if options.find == "whole":
        return [_whole(photo)]
    finder = can_find(options.face_model)
    faces = find_faces(photo, options.face_model, options.max_faces) if finder else []
    if not faces:
        told, hint = _NONE if finder else _NO_FINDER
        if options.strict:
            raise DataError(told, hint)
        note = f"{told}, so the photo was taken whole ({hint})"
        return [replace(_whole(photo), notes=(note,))]
    if len(faces) == 1 and _is_crop(photo, faces[0]):
        return [replace(_whole(photo), confidence=faces[0].confidence)]
    return [_region(face) for face in faces]


def read_box(text: str) -> Box:
    """``x,y,w,h`` → four numbers. UsageError where it is none."""
    try:
        x, y, width, height = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"box={text} is no box", _BOX_HINT) from None
    if not (width > 0 and height > 0):
        raise UsageError(f"box={text} has no area", _BOX_HINT)
    return x, y, width, height


def face_box(region: Region | None) -> Box | None:
    """The box a region's face lies in; None where all of a photo was taken for a face."""
    return None if region is None else region.facts.get(_BOX)


def _given(photo: Image, box: Box) -> Region:
    """The region about a face whose box the user knows. DataError where the photo ends before
    it."""
    height, width = photo.shape[:2]
    left, top, wide, high = box
    beside = left >= width or left + wide <= 0
    above = top >= height or top + high <= 0
    if beside or above:
        message = f"the box lies outside a photo of {width}x{height} pixels"
        raise DataError(message, _BOX_HINT)
    return _about(box)


def _about(box: Box) -> Region:
    """The region about a face's box, with room for the head."""
    left, top, width, height = box
    room = (ROOM - 1) / 2
    left -= room * width
    top -= room * height
    roomy = (left, top, ROOM * width, ROOM * height)
    facts = {_BOX: [round(side, 2) for side in box]}
    return Region(roomy, label=_FACE, feather=_FEATHER, facts=facts)


def _whole(photo: Image) -> Region:
    return Region.whole(photo.shape[0], photo.shape[1], label=_FACE)


def _is_crop(photo: Image, face: Face) -> bool:
    height, width = photo.shape[:2]
    shorter, longer = sorted((height, width))
    square = longer <= _SQUARE * shorter
    return square and bool(face.pose.side >= _WHOLE * shorter)


def _region(face: Face) -> Region:
    pose: Pose = face.pose
    return replace(_about(pose.box), angle=pose.angle, confidence=face.confidence)
