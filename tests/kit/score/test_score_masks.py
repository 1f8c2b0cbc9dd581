"""What does not count: pixels outside masks, dark ones of ARAP, saturated ones; and by hand what
the thresholds come to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from intrinsic_cli.api import Case, DataError, Protocol
from intrinsic_cli.kit.score import saw
from intrinsic_cli.kit.score.arap import ARAP_1K, ARAP_F, ARAP_O
from intrinsic_cli.kit.score.barron import MIT_BARRON, GeometricMean
from intrinsic_cli.kit.score.baselines import PRODUCTS
from intrinsic_cli.kit.score.constancy import CONSTANCY, ConstancyPool
from intrinsic_cli.kit.score.faces import FACES
from intrinsic_cli.kit.score.normals import NormalsPool
from intrinsic_cli.kit.score.reflection import REFLECTION
from intrinsic_cli.kit.score.saw import SAW_C, SAW_O, SAW_U, SawPool
from intrinsic_cli.kit.score.scale_invariant import MIT
from intrinsic_cli.kit.score.scoring import score_case
from intrinsic_cli.kit.score.sintel import SINTEL
from intrinsic_cli.kit.score.whdr import WHDR, WHDR_ENCODED

FACTORS = ("albedo", "shading")


def made_up(height: int = 48, width: int = 52) -> tuple[Case, dict[str, Any]]:
    """A case with truth of all kinds and a noisy answer."""
    rng = np.random.default_rng(5)
    albedo = rng.uniform(0.1, 0.9, (height, width, 3)).astype(np.float32)
    shading = rng.uniform(0.2, 0.9, (height, width, 1)).astype(np.float32)
    normals = rng.normal(size=(height, width, 3)).astype(np.float32)
    truth = {"albedo": albedo, "shading": shading, "normals": normals}
    photo = albedo * shading
    truth |= {"transmission": photo * 0.7, "reflection": photo * 0.3}
    answer = {
        name: layer + rng.normal(0, 0.1, layer.shape).astype(np.float32)
        for name, layer in truth.items()
    }
    answer["residual"] = rng.normal(0, 0.05, photo.shape).astype(np.float32)
    mask = rng.random((height, width)) > 0.2
    return Case("made up", photo, truth, mask, {"scene": "one"}), answer


@pytest.mark.parametrize(
    "protocol",
    [MIT, MIT_BARRON, ARAP_1K, CONSTANCY, FACES, REFLECTION],
    ids=lambda protocol: protocol.name,
)
def test_what_is_outside_the_mask_does_not_count(protocol: Protocol) -> None:
    case, answer = made_up()
    spoilt = {
        name: np.where(case.mask[..., None], layer, np.float32(7)) for name, layer in answer.items()
    }
    assert score_case(protocol, case, spoilt) == pytest.approx(score_case(protocol, case, answer))


def arap_case(dark: float, share: float = 0.5) -> tuple[Case, np.ndarray[Any, Any]]:
    """256×256 with ``dark`` shading in ``share`` of the columns; where it is dark."""
    case, _ = made_up(256, 256)
    where = np.zeros((256, 256), bool)
    where[:, : round(share * 256)] = True
    truth = {name: case.truth[name].copy() for name in FACTORS}
    truth["shading"][where] = dark
    return Case("arap", case.photo, truth, np.ones((256, 256), bool)), where


def spoilt_at(case: Case, where: Any) -> dict[str, Any]:
    return {
        name: np.where(where[..., None], np.float32(0.6), case.truth[name] * np.float32(0.9))
        for name in FACTORS
    }


@pytest.mark.parametrize("protocol", [ARAP_F, ARAP_O], ids=lambda protocol: protocol.name)
def test_arap_leaves_dark_pixels_out(protocol: Protocol) -> None:
    case, dark = arap_case(0.003)
    clean = score_case(protocol, case, spoilt_at(case, dark & False))
    spoilt = score_case(protocol, case, spoilt_at(case, dark))
    for name in clean:
        if protocol is ARAP_F and name.endswith("ssim"):
            assert spoilt[name] < clean[name] - 0.1, "FlowIID's SSIM knows no mask"
        else:
            assert spoilt[name] == pytest.approx(clean[name]), name


def test_arap_counts_what_is_just_bright_enough() -> None:
    case, dark = arap_case(0.0041)
    assert score_case(ARAP_F, case, spoilt_at(case, dark))["shading_rmse"] > 0.3


@pytest.mark.parametrize(("share", "counts"), [(0.95, True), (0.88, False)])
def test_arap_halves_its_threshold_where_less_than_a_tenth_is_bright(
    share: float, counts: bool
) -> None:
    """Shading of .003 is above the half of .004: it counts only where nearly all is dark."""
    case, dark = arap_case(0.003, share)
    error = score_case(ARAP_F, case, spoilt_at(case, dark))["shading_rmse"]
    assert (error > 0.3) is counts
    case, dark = arap_case(0.0019, share)
    assert score_case(ARAP_F, case, spoilt_at(case, dark))["shading_rmse"] < 0.1


def test_a_dark_albedo_is_left_out_as_well() -> None:
    case, dark = arap_case(0.5)
    case.truth["albedo"][dark] = 0.003
    assert score_case(ARAP_F, case, spoilt_at(case, dark))["shading_rmse"] < 0.1


@pytest.mark.parametrize(("level", "counts"), [(0.98, True), (0.995, False)])
def test_saturated_shading_does_not_count_in_arap_1k(level: float, counts: bool) -> None:
    case, answer = made_up()
    case.truth["shading"][:, :20] = level
    clean = score_case(ARAP_1K, case, answer)
    answer["albedo"] = answer["albedo"].copy()
    answer["albedo"][:, :20] = 3
    assert (score_case(ARAP_1K, case, answer) != pytest.approx(clean)) is counts


def test_sintel_clips_the_scaled_prediction() -> None:
    case, _ = made_up()
    bright = np.full_like(case.truth["shading"], 0.5)
    bright[:4, :4] = 50
    truth = np.full_like(bright, 0.5)
    truth[:4, :4] = 1
    case.truth = {"shading": truth}
    scores = score_case(SINTEL, case, {"shading": bright})
    # α = ⟨p,g⟩/⟨p,p⟩; the spot is cut at 1, what it should be: only the rest is wrong.
    alpha = float((bright * truth).sum() / (bright * bright).sum())
    scaled = np.minimum(alpha * bright, 1)
    assert scores["shading_si_mse"] == pytest.approx(float(np.mean((scaled - truth) ** 2)))


def test_a_mean_of_both_factors_is_half_and_half() -> None:
    case, answer = made_up()
    scores = score_case(MIT, case, answer)
    assert scores["lmse"] == pytest.approx((scores["albedo_lmse"] + scores["shading_lmse"]) / 2)


def test_scale_of_a_dim_answer_does_not_count() -> None:
    case, answer = made_up()
    dim = {name: layer * np.float32(1e-4) for name, layer in answer.items()}
    assert score_case(MIT, case, dim) == pytest.approx(score_case(MIT, case, answer), rel=1e-4)


def test_geometric_means_of_small_scores() -> None:
    pool = GeometricMean()
    for value in (1e-6, 1e-8):
        pool.add(made_up()[0], {}, {"lmse": value})
    assert pool.scores()["lmse_geometric"] == pytest.approx(1e-7)


def faces_case(angles: Any, mask: Any) -> tuple[Case, dict[str, Any]]:
    """Normals of a row of pixels that are off by ``angles`` degrees."""
    turned = np.deg2rad(np.asarray(angles, np.float64))[None]
    truth = np.zeros((1, turned.size, 3), np.float32)
    truth[..., 2] = 1
    guess = np.stack([np.sin(turned), 0 * turned, np.cos(turned)], -1)
    photo = np.full((1, turned.size, 3), 0.5, np.float32)
    return Case("row", photo, {"normals": truth}, np.asarray(mask, bool)[None]), {"normals": guess}


def test_normals_by_hand() -> None:
    case, answer = faces_case([1, 2, 21, 90], [1, 1, 1, 0])
    scores = score_case(FACES, case, answer)
    assert scores["normals_angle_mean"] == pytest.approx(8)
    assert scores["normals_angle_median"] == pytest.approx(2)
    assert scores["normals_angle_rmse"] == pytest.approx(np.sqrt((1 + 4 + 441) / 3))
    assert scores["normals_within_20"] == pytest.approx(200 / 3)


def test_pooled_normals_are_of_all_pixels_and_not_of_photos() -> None:
    pool = NormalsPool()
    # Nine pixels of one photo and one of another: means of photos would weigh them alike.
    for angles in ([3.02] * 5 + [12.33] * 2 + [20.4, 50.01, 50.01], [80.0]):
        case, answer = faces_case(angles, [1] * len(angles))
        pool.add(case, answer, {})
    scores = pool.scores()
    every = np.array([3.02] * 5 + [12.33] * 2 + [20.4, 50.01, 50.01, 80.0])
    assert scores["normals_pooled_angle_mean"] == pytest.approx(every.mean(), abs=1e-3)
    assert scores["normals_pooled_angle_median"] == pytest.approx(12.33, abs=0.025)
    assert scores["normals_pooled_angle_rmse"] == pytest.approx(np.sqrt((every**2).mean()), 1e-4)
    assert scores["normals_pooled_angle_std"] == pytest.approx(every.std(), abs=1e-3)
    assert scores["normals_pooled_within_11.25"] == pytest.approx(100 * 5 / 11)
    assert scores["normals_pooled_within_20"] == pytest.approx(100 * 7 / 11)
    assert scores["normals_pooled_within_22.5"] == pytest.approx(100 * 8 / 11)
    masked = NormalsPool()
    case, answer = faces_case([10, 80], [1, 0])
    masked.add(case, answer, {})
    assert masked.scores()["normals_pooled_angle_mean"] == pytest.approx(10, abs=1e-3)


def test_the_pooled_median_lies_in_the_middle() -> None:
    pool = NormalsPool()
    for first in (0, 20, 40, 60):
        angles = [first + step + 0.52 for step in range(20)]
        case, answer = faces_case(angles, [1] * len(angles))
        pool.add(case, answer, {})
    case, answer = faces_case([80.52], [1])
    pool.add(case, answer, {})
    assert pool.scores()["normals_pooled_angle_median"] == pytest.approx(40.52, abs=0.025)


def test_faces_are_made_up_of_product_and_residual() -> None:
    case, answer = made_up()
    for name in FACTORS:
        answer[name] = case.truth[name]
    answer["residual"] = np.full_like(case.photo, -0.1)
    darker = Case(case.name, case.photo - np.float32(0.1), case.truth, case.mask)
    scores = score_case(FACES, darker, answer)
    assert scores["reconstruction_with_residual_rms"] == pytest.approx(0, abs=1e-4)
    assert scores["reconstruction_rms"] == pytest.approx(25.5 * 3**0.5, rel=1e-4)


def test_constancy_counts_what_every_light_knows() -> None:
    rng = np.random.default_rng(0)
    paint = rng.uniform(0.2, 0.9, (6, 8, 3)).astype(np.float32)
    pool = ConstancyPool()
    for number in range(2):
        mask = np.ones((6, 8), bool)
        mask[number] = False
        albedo = np.where(mask[..., None], paint, np.float32(5 + number))
        photo = albedo * np.linspace(1, 0.2 + number, 8, dtype=np.float32)[:, None]
        case = Case(f"{number}", photo, {}, mask, {"scene": "one"})
        pool.add(case, {"albedo": albedo}, {})
    scores = pool.scores()
    assert scores["constancy"] == pytest.approx(0, abs=1e-12)
    assert scores["photo_constancy"] > 0.01
    assert scores["constancy_ratio"] == pytest.approx(0, abs=1e-9)
    pool = ConstancyPool()
    for number in range(2):
        off = paint.copy()
        off[:2] *= 1 + number
        case = Case(f"{number}", paint, {}, np.ones((6, 8), bool), {"scene": "one"})
        pool.add(case, {"albedo": off}, {})
    assert pool.scores()["constancy_ratio"] > 1e6, "photos that are all alike, albedos that are not"


def test_whdr_by_hand() -> None:
    row = np.tile(np.float32([[[0.10], [0.115], [0.2], [0.1]]]), (1, 1, 3))
    points = np.array([[[0.1, 0.5], [0.3, 0.5]], [[0.1, 0.5], [0.6, 0.5]]])
    told = {"points": points, "darker": np.array([0, 2]), "weights": np.array([1.0, 3.0])}
    case = Case("row", row, {}, np.ones((1, 4), bool), {"judgements": told})
    # The first pair differs by 15 %, the second is the wrong way round.
    assert score_case(WHDR, case, {"albedo": row}) == {"whdr": 1.0, "whdr_20": 0.75}
    assert score_case(WHDR_ENCODED, case, {"albedo": row})["whdr"] == 0.75, "codes are nearer"
    none = {"points": points[:0], "darker": np.zeros(0, int), "weights": np.zeros(0)}
    case.facts = {"judgements": none}
    assert score_case(WHDR, case, {"albedo": row}) == {}


def saw_case() -> tuple[Case, dict[str, Any]]:
    case, answer = made_up(64, 70)
    rng = np.random.default_rng(1)
    labels = rng.choice([0, 1, 2, 100], (64, 70))
    ramp = np.linspace(0, 3, 70, dtype=np.float32)[:, None]
    case.photo = (case.photo * ramp).astype(np.float32)
    case.facts = {"labels": labels}
    return case, {"shading": answer["shading"].clip(0.01)}


def test_the_challenge_weighs_by_the_photo_and_the_others_do_not() -> None:
    case, answer = saw_case()
    hard = score_case(SAW_C, case, answer)["photo_error"]
    even = score_case(SAW_U, case, answer)["photo_error"]
    flat = Case(case.name, np.ones_like(case.photo), {}, case.mask, case.facts)
    assert hard != pytest.approx(even, abs=1e-6)
    assert score_case(SAW_U, flat, answer)["photo_error"] == even


def test_precision_is_taken_at_three_recalls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a share r of the smooth pixels and r² of the others is said to be smooth, precision is
    1 / (1 + r)."""
    share = torch.linspace(0, 1, 101, dtype=torch.float64)
    rows = [torch.stack([1 - part, part], dim=1) for part in (share**2, share**2, share)]
    counts = torch.stack(rows, dim=1)
    monkeypatch.setattr(saw, "saw_counts", lambda *given: counts)
    pool = SawPool("saw-u")
    pool.add(*saw_case(), {})
    scores = pool.scores()
    for percent in (30, 50, 70):
        expected = 1 / (1 + percent / 100)
        assert scores[f"precision_at_recall_{percent}"] == pytest.approx(expected, rel=1e-9)


def test_saw_o_does_not_balance_its_rows() -> None:
    case, answer = made_up()
    one = score_case(SAW_O, case, answer)
    assert one["ap"] == pytest.approx(1 - one["photo_error"])
    perfect = score_case(SAW_O, case, {"shading": case.truth["shading"]})
    # Seven tenths are smooth and count twice: had rows been balanced, it would be less than half.
    assert perfect["ap"] > one["ap"] > 0.7


def test_saw_o_of_shading_that_is_equally_steep_everywhere() -> None:
    """All is said to be smooth at once: of all, as much as counts for smooth. Until then nothing
    is, and that is worth nothing."""
    case, _ = made_up()
    share = 1.4 / 1.7
    flat = np.ones((48, 52, 1), np.float32)
    assert score_case(SAW_O, case, {"shading": flat})["ap"] == pytest.approx(share, abs=0.02)
    ramp = np.exp(0.02 * np.arange(52, dtype=np.float32))[None, :, None] * flat
    assert score_case(SAW_O, case, {"shading": ramp})["ap"] == pytest.approx(share / 2, abs=0.02)


def test_sizes_are_compared_both_ways() -> None:
    case, answer = made_up()
    for part in (answer["albedo"][1:], answer["albedo"][:, 1:]):
        with pytest.raises(DataError, match="the albedo of made up is"):
            score_case(MIT, case, {"albedo": part})


def test_outputs_without_a_size_of_their_own_are_let_through() -> None:
    case, answer = made_up()
    seen: dict[str, Any] = {}

    def look(case: Case, given: Any) -> dict[str, float]:
        seen.update(given)
        return {"x": 1.0}

    protocol = Protocol("own", "", "", look, {}, reads=("texture", "light", "skin", "depth"))
    extra = {
        "texture": np.zeros((4, 4, 3), np.float32),
        "skin": np.zeros((2, 2, 3), np.float32),
        "light": {"strength": 1},
        "relit": case.photo,
    }
    score_case(protocol, case, {**answer, **extra})
    assert {"texture", "skin", "light"} < set(seen)
    assert "relit" not in seen, "neither read nor true"
    with pytest.raises(DataError, match="the depth of made up"):
        score_case(protocol, case, {"depth": np.zeros((4, 4, 1), np.float32)})


def test_a_black_photo_has_black_square_roots() -> None:
    case = Case("x", np.float32([[[0, -1, 0.25]]]), {}, np.ones((1, 1), bool))
    assert PRODUCTS["square root"](case)["albedo"].tolist() == [[[0, 0, 0.5]]]
