"""Angles, masks, keypoints and point sets: hand-worked cases and symmetries."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from intrinsic_cli.kit import metrics


def test_normals_by_hand() -> None:
    g = torch.tensor([0.0, 0.0, 1.0]).view(1, 3, 1, 1).expand(1, 3, 1, 3)
    p = torch.tensor([[0.0, 0.0, 2.0], [1.0, 0.0, 1.0], [0.0, 5.0, 0.0]]).T.reshape(1, 3, 1, 3)
    angles = metrics.normals_error(p, g)
    assert angles.tolist() == pytest.approx([0, 45, 90])
    assert metrics.share_below(angles, 50).item() == pytest.approx(200 / 3)
    masked = metrics.normals_error(p, g, torch.tensor([[[[0, 1, 0]]]]))
    assert masked.tolist() == pytest.approx([45])
    torch.testing.assert_close(metrics.normals_error(g, p), angles)


def test_lights_by_hand() -> None:
    front, side = torch.zeros(1, 27), torch.zeros(1, 27)
    for channel in range(3):
        front[0, 9 * channel + 1] = 2.0  # z
        side[0, 9 * channel + 2] = 0.5  # x
    up = front.roll(2, 1)  # y
    brighter = front + torch.eye(27)[[0, 9, 18]].sum(0)  # the same light, and more from everywhere
    assert metrics.light_error(front, side).item() == pytest.approx(90)
    assert metrics.light_error(front, front * 9).item() == pytest.approx(0)
    assert metrics.light_error(front, brighter).item() == pytest.approx(0)
    assert metrics.light_error(up, side).item() == pytest.approx(90)
    assert metrics.light_error(up, up + 4 * side).item() == pytest.approx(45)
    assert metrics.light_rmse(front, side).item() == pytest.approx(math.sqrt(3 * (4 + 0.25) / 27))


def test_cameras_by_hand() -> None:
    still = torch.tensor([[1.0, 0.0, 0.0, 0.0]])
    turned = torch.tensor([[math.cos(math.pi / 8), math.sin(math.pi / 8), 0.0, 0.0]])
    assert metrics.camera_error(still, turned).item() == pytest.approx(45)
    assert metrics.camera_error(still, -turned * 3).item() == pytest.approx(
        45
    )  # q and −q are one rotation
    assert metrics.camera_error(turned, still).item() == pytest.approx(45)


def test_masks_by_hand() -> None:
    a = torch.tensor([[[[1.0, 1.0, 0.0, 0.4]]], [[[0.0, 0.0, 0.0, 0.0]]]])
    m = torch.tensor([[[[1.0, 0.0, 1.0, 0.0]]], [[[0.0, 0.0, 0.0, 0.0]]]])
    assert metrics.iou(a, m).tolist() == pytest.approx([1 / 3, 1])
    assert metrics.iou(a, m, soft=True).tolist() == pytest.approx([1 / 3.4, 1])
    torch.testing.assert_close(metrics.iou(a, m, soft=True), metrics.iou(m, a, soft=True))


def test_keypoints_by_hand() -> None:
    truth = torch.zeros(2, 3, 2)
    moved = truth.clone()
    moved[0, 0, 0] = 0.18  # error .099
    moved[1, 0, 0] = 0.19  # error .1045
    moved[0, 1, 1] = 2.0
    assert metrics.keypoint_error(moved, truth)[0].tolist() == pytest.approx([0.099, 1.1, 0])
    visible = torch.tensor([[1, 1, 0], [1, 0, 0]])
    assert metrics.pck(moved, truth, visible).item() == pytest.approx(
        0.25
    )  # 1/2 and 0/1; the third is never seen
    assert metrics.pck(moved, truth, visible, 0.15).item() == pytest.approx(0.5)


def test_chamfer_by_hand_and_symmetric() -> None:
    a = torch.tensor([[[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]])
    b = torch.tensor([[[0.0, 0.0, 0.0], [0.0, 2.0, 0.0], [1.0, 0.0, 0.0]]])
    assert metrics.chamfer(a, b).item() == pytest.approx(4 / 3)
    made = torch.Generator().manual_seed(0)
    p, q = torch.rand(2, 70, 3, generator=made), torch.rand(2, 50, 3, generator=made)
    torch.testing.assert_close(metrics.chamfer(p, q), metrics.chamfer(q, p))
    torch.testing.assert_close(metrics.chamfer(p, q, block=7), metrics.chamfer(p, q))
    assert metrics.chamfer(p, p).abs().max() == 0


def square() -> tuple[Tensor, Tensor]:
    corners = torch.tensor([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0], [2.0, 1.0, 0.0], [0.0, 1.0, 0.0]])
    return corners, torch.tensor([[0, 1, 2], [0, 2, 3]])


def test_samples_spread_evenly_over_the_surface() -> None:
    points = metrics.sample_surface(*square(), count=8000).numpy()
    assert points.min() >= 0
    assert points.max(0) == pytest.approx([2, 1, 0], abs=0.01)
    assert points.mean(0) == pytest.approx([1, 0.5, 0], abs=0.03)
    quarter = np.histogram2d(points[:, 0], points[:, 1], bins=(4, 2), range=((0, 2), (0, 1)))[0]
    assert quarter.min() > 850
    again = metrics.sample_surface(*square(), count=8000).numpy()
    assert np.array_equal(points, again)
    other = torch.from_numpy(points)[None]
    assert (
        metrics.chamfer(other, metrics.sample_surface(*square(), 8000, seed=1)[None]).item() < 1e-3
    )
