"""Photos behind glass are measured as they are, layer by layer, against the answers that need no
method."""

from __future__ import annotations

import numpy as np
import pytest

from intrinsic_cli.api import Case
from intrinsic_cli.kit.score.reflection import REFLECTION, REFLECTION3
from intrinsic_cli.kit.score.scale_invariant import MIT
from intrinsic_cli.kit.score.scoring import score_case

NAMES = ("transmission", "reflection", "flare")


def mixture(flare: bool = False) -> Case:
    rng = np.random.default_rng(0)
    truth = {
        name: rng.uniform(0, 0.3, (20, 30, 3)).astype(np.float32) for name in NAMES[: 2 + flare]
    }
    mask = rng.random((20, 30)) > 0.2
    return Case("pane", sum(truth.values(), np.zeros((20, 30, 3), np.float32)), truth, mask)


@pytest.mark.parametrize("flare", [False, True])
def test_truth_is_perfect(flare: bool) -> None:
    case = mixture(flare)
    scores = score_case(REFLECTION3 if flare else REFLECTION, case, case.truth)
    names = NAMES[: 2 + flare]
    assert list(scores) == [
        f"{name}_{metric}" for name in names for metric in ("mse", "psnr", "ssim")
    ]
    for name in names:
        assert scores[f"{name}_mse"] == 0
        assert scores[f"{name}_psnr"] == 100, "infinite would spoil the mean"
        assert scores[f"{name}_ssim"] == pytest.approx(1)


def test_scale_counts_and_what_is_masked_does_not() -> None:
    case = mixture()
    off = case.truth["transmission"] + np.float32(0.01)
    off[~case.mask] = 9
    scores = score_case(REFLECTION, case, {"transmission": off})
    assert set(scores) == {"transmission_mse", "transmission_psnr", "transmission_ssim"}
    assert scores["transmission_mse"] == pytest.approx(1e-4, rel=1e-4)
    assert scores["transmission_psnr"] == pytest.approx(40, abs=1e-3)
    assert scores["transmission_ssim"] > 0.9
    assert (
        score_case(REFLECTION, case, {"transmission": case.truth["transmission"] * 2})[
            "transmission_mse"
        ]
        > 0.01
    )


def test_gray_layers_and_layers_without_truth() -> None:
    case = mixture()
    gray = {
        "reflection": case.truth["reflection"].mean(-1),
        "flare": case.photo,
        "albedo": case.photo,
    }
    assert set(score_case(REFLECTION, case, gray)) == {
        "reflection_mse",
        "reflection_psnr",
        "reflection_ssim",
    }


@pytest.mark.parametrize("flare", [False, True])
def test_baselines_add_up_too(flare: bool) -> None:
    case = mixture(flare)
    protocol = REFLECTION3 if flare else REFLECTION
    answers = {name: answer(case) for name, answer in protocol.baselines.items()}
    assert list(answers) == ["all transmission", "even split"]
    for layers in answers.values():
        assert set(layers) == set(case.truth)
        assert np.allclose(sum(layers.values(), np.zeros_like(case.photo)), case.photo)
    assert not answers["all transmission"]["reflection"].any()
    scores = score_case(protocol, case, answers["all transmission"])
    rest = sum((case.truth[name] for name in NAMES[1 : 2 + flare]), np.zeros_like(case.photo))[
        case.mask
    ]
    assert scores[protocol.headline] == pytest.approx(float(np.mean(rest**2)), rel=1e-5)


def test_other_tables_have_baselines_of_their_own() -> None:
    assert "constant shading" in MIT.baselines
    assert not set(MIT.baselines) & set(REFLECTION.baselines)
