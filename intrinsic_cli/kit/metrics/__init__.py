"""How far an answer is from the truth: batched where images have equal sizes, in float64, on the
tensors' own device.

``pixels``: errors over masked pixels; ``windows``: local errors; ``similarity``: SSIM; ``ordinal``:
human judgements of lightness (WHDR); ``smoothness``: shading annotations (SAW); ``constancy``: one
albedo under many lights; ``angles``: normals, lights, cameras, colours; ``edges``: steps of one
layer found in the other; ``shapes``: masks, keypoints, point sets. Which of them makes up which
published protocol: ``kit.score``."""

from intrinsic_cli.kit.metrics.angles import (
    camera_error,
    hue_error,
    light_error,
    light_rmse,
    normals_error,
    share_below,
)
from intrinsic_cli.kit.metrics.constancy import albedo_constancy
from intrinsic_cli.kit.metrics.edges import share_of_steps
from intrinsic_cli.kit.metrics.ordinal import Judgements, whdr
from intrinsic_cli.kit.metrics.pixels import (
    face_reconstruction,
    mse,
    psnr,
    reconstruction,
    rmse,
    si_mse,
    si_rmse,
)
from intrinsic_cli.kit.metrics.shapes import chamfer, iou, keypoint_error, pck, sample_surface
from intrinsic_cli.kit.metrics.similarity import dssim_masked, dssim_sintel, ssim
from intrinsic_cli.kit.metrics.windows import (
    lmse,
    lmse_arap_1k,
    lmse_barron,
    lmse_sintel,
    window_mse,
)

__all__ = [
    "Judgements",
    "albedo_constancy",
    "camera_error",
    "chamfer",
    "dssim_masked",
    "dssim_sintel",
    "face_reconstruction",
    "hue_error",
    "iou",
    "keypoint_error",
    "light_error",
    "light_rmse",
    "lmse",
    "lmse_arap_1k",
    "lmse_barron",
    "lmse_sintel",
    "mse",
    "normals_error",
    "pck",
    "psnr",
    "reconstruction",
    "rmse",
    "sample_surface",
    "share_below",
    "share_of_steps",
    "si_mse",
    "si_rmse",
    "ssim",
    "whdr",
    "window_mse",
]
