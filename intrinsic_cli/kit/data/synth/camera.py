"""From scene light to what a camera would have stored: exposure, white balance, noise, tone curve,
JPEG."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.light.colour import brightest, linear_to_srgb, srgb_to_linear

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intrinsic_cli.api.outputs import Image

#: What a step to the warm side does to log red, green, blue: about a black body's line.
BLACK_BODY = np.array([0.7, 0.05, -0.9])
_TOO_DARK = 1 / 7
_DARKEST = 3.5  # stops
_ASTRAY = 0.5  # of the photos have a white balance that is wrong by
_WARMTH = 0.25  # so much along the line from candles to blue sky (spread), and
_TINT = 0.06  # so much in any channel


@dataclass(slots=True)
class Camera:
    """One photo's camera. ``gain`` [3] multiplies scene light; noise has a shot and a read part
    (linear units); ``contrast`` bends the encoded curve (0 = none); ``quality`` is that of the
    JPEG, None = lossless 8 bit."""

    gain: NDArray[np.float32]
    shot: float = 0.0
    read: float = 0.0
    contrast: float = 0.0
    quality: int | None = None

    def __call__(self, light: Image, rng: np.random.Generator) -> Image:
        """[H,W,3] scene light → the photo, linear, after everything the camera did to it, within
        0..1."""
        exposed = light * self.gain
        if self.shot or self.read:
            variance = self.shot * np.maximum(exposed, 0) + self.read**2
            spread = np.sqrt(variance)
            noise = rng.standard_normal(exposed.shape, dtype=np.float32)
            noisy = exposed + spread * noise
            exposed = np.asarray(noisy, np.float32)
        encoded = linear_to_srgb(np.clip(exposed, 0, 1))
        codes = self._codes(_bend(encoded, self.contrast))
        return np.asarray(srgb_to_linear(codes), np.float32)

    def _codes(self, encoded: Image) -> Image:
        """What the file holds, 0..1."""
        codes = (encoded * 255 + 0.5).astype(np.uint8)
        if self.quality is not None:
            options = [cv2.IMWRITE_JPEG_QUALITY, self.quality]
            _, data = cv2.imencode(".jpg", codes[..., ::-1], options)
            decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
            codes = decoded[..., ::-1]
        return np.asarray(codes / np.float32(255), np.float32)


def random_camera(light: Image, mask: NDArray[np.bool_], rng: np.random.Generator) -> Camera:
    """A camera such as people own, exposing [H,W,3] ``light`` so that a high percentile in ``mask``
    is near white."""
    level = brightest(light)[mask]
    white = 1.0
    if level.size:
        white = float(np.percentile(level, rng.uniform(96, 99.8)))
    exposure = np.exp(rng.normal(-0.2, 0.3)) / max(white, 1e-4)
    balance = np.exp(rng.normal(0, 0.06, 3))
    camera = Camera((exposure * balance).astype(np.float32))
    # The order of these draws is part of the training data: a seed gives the same photos for ever.
    if rng.random() < 0.6:
        camera.shot = float(10 ** rng.uniform(-4.5, -2.8))
        camera.read = float(10 ** rng.uniform(-3.5, -2.2))
    if rng.random() < 0.35:
        camera.contrast = float(rng.uniform(-0.15, 0.35))
    if rng.random() < 0.5:
        camera.quality = int(rng.integers(60, 98))
    return camera


def everyday(camera: Camera, cast: NDArray[np.float64], rng: np.random.Generator) -> Camera:
    """The camera as people use it: white balance takes out a part of the light's ``cast`` [3], or
    is plainly wrong; and one photo in seven is much too dark."""
    share = rng.uniform(0, 1)
    balance = cast**-share * _astray(rng)
    stops = 0.0
    if rng.random() < _TOO_DARK:
        stops = rng.uniform(1, _DARKEST)
    darker = 2**-stops
    gain = camera.gain * balance / balance.mean() * darker
    return replace(camera, gain=np.asarray(gain, np.float32))


def _astray(rng: np.random.Generator) -> NDArray[np.float64]:
    """A cast [3] such as a wrong white balance leaves; often none."""
    warmth = rng.normal(0, _WARMTH) * BLACK_BODY
    tint = rng.normal(0, _TINT, 3)
    if rng.random() > _ASTRAY:
        return np.ones(3)
    return np.asarray(np.exp(warmth + tint))


def _bend(encoded: Image, contrast: float) -> Image:
    """An S-curve about mid-gray: the mix of the value and its smoothstep."""
    if not contrast:
        return encoded
    smooth = encoded * encoded * (3 - 2 * encoded)
    return encoded + np.float32(contrast) * (smooth - encoded)
