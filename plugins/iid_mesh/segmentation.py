"""Segmentation networks in ONNX files, run by onnxruntime where it is installed, else by OpenCV.

Networks as ISNet (Qin et al., ECCV 2022) is published: one picture in, [1,3,S,S] as (code − 128) /
256, and a mask out, as the first of however many outputs."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from intrinsic_cli.api import DataError, WeightsError
from intrinsic_cli.kit.files.opencv import cv2

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intrinsic_cli.api.outputs import Image

#: [1,3,S,S] float32 → the network's first output.
Run = Callable[["NDArray[np.float32]"], "NDArray[Any]"]

#: Sides that networks are tried at where their file does not say one.
SIDES = (1024, 512, 320, 256, 64)
RUNTIME = "onnxruntime"


class SegmentationModel:
    """A network that finds the object of a photo. WeightsError where there is no such file,
    DataError where it cannot be run."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise WeightsError(f"there is no segmentation network at {path}", "give an .onnx file")
        self.path = path
        self._side = 0
        try:
            self._run, self._sides = _open(path)
        except Exception as error:  # whatever either runtime raises
            raise self._broken(error) from error

    def __call__(self, colours: Image) -> Image:
        """A photo [H,W,3], sRGB 0..1 → where the object is [H,W], 0..1."""
        if not self._side:
            self._side = self._fitting_side(colours)
        answer = self._run(_input(colours, self._side))
        mask = _as_mask(answer)
        height, width = colours.shape[:2]
        resized = cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(resized, np.float32)

    def _fitting_side(self, colours: Image) -> int:
        """The first side at which the network runs."""
        trouble: Exception | None = None
        for side in self._sides:
            try:
                _as_mask(self._run(_input(colours, side)))
            except Exception as error:  # whatever either runtime raises
                trouble = trouble or error
            else:
                return side
        assert trouble is not None
        raise self._broken(trouble) from trouble

    def _broken(self, error: Exception) -> DataError:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        hint = "give a network with one picture in and one mask out, such as ISNet"
        return DataError(f"{self.path} cannot be run as a segmentation network: {reason}", hint)


def _open(path: Path) -> tuple[Run, tuple[int, ...]]:
    """A way to run the network, and the sides to try."""
    if find_spec(RUNTIME) is not None:
        return _with_runtime(path)
    network = cv2.dnn.readNetFromONNX(str(path))

    def run(picture: NDArray[np.float32]) -> NDArray[Any]:
        network.setInput(picture)
        return np.asarray(network.forward())

    return run, SIDES


def _with_runtime(path: Path) -> tuple[Run, tuple[int, ...]]:
    runtime = importlib.import_module(RUNTIME)
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (entry, *_) = session.get_inputs()
    (exit_, *_) = session.get_outputs()

    def run(picture: NDArray[np.float32]) -> NDArray[Any]:
        (answer,) = session.run([exit_.name], {entry.name: picture})
        return np.asarray(answer)

    side = entry.shape[-1]
    return run, (side,) if isinstance(side, int) else SIDES


def _input(colours: Image, side: int) -> NDArray[np.float32]:
    resized = cv2.resize(colours, (side, side), interpolation=cv2.INTER_AREA)
    normal = (np.asarray(resized, np.float32) * 255 - 128) / 256
    return np.ascontiguousarray(normal.transpose(2, 0, 1)[None])


def _as_mask(answer: NDArray[Any]) -> Image:
    """[...,h,w] → [h,w] in 0..1; numbers beyond that are logits."""
    mask = np.asarray(answer, np.float32)
    while mask.ndim > 2:
        mask = mask[0]
    if mask.ndim != 2 or not np.isfinite(mask).all():
        raise ValueError(f"it answers with {np.shape(answer)}, which is no mask")
    if mask.min() < 0 or mask.max() > 1:
        logits = np.clip(mask, -50, 50)
        return np.asarray(1 / (1 + np.exp(-logits)), np.float32)
    return mask
