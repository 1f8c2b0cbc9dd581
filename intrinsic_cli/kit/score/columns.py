"""Columns that tables of several protocols have, with what they say under them."""

from __future__ import annotations

from intrinsic_cli.api import Metric

MSE = Metric("lower", about="mean squared error")
RMSE = Metric("lower", about="root mean squared error")
SI_MSE = Metric("lower", about="mean squared error at the best scale")
SI_RMSE = Metric("lower", about="root mean squared error at the best scale")
LMSE = Metric("lower", about="error in windows, each at its best scale, as a share of the truth")
PSNR = Metric("higher", "dB", "peak signal-to-noise ratio")
SSIM = Metric("higher", about="structural similarity, 1 where nothing differs")
DSSIM = Metric("lower", about="(1 − structural similarity) / 2")
RECONSTRUCTION_MSE = Metric("lower", about="mean squared error of albedo · shading as the photo")
