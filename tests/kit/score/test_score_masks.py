"""What does not count: pixels outside masks, dark ones of ARAP, saturated ones; which layers are
compared at all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from made_up_case import FACTORS, made_up

from intrinsic_cli.api import Case, DataError, Protocol
from intrinsic_cli.kit.score.arap import ARAP_1K, ARAP_F, ARAP_O
from intrinsic_cli.kit.score.barron import MIT_BARRON
from intrinsic_cli.kit.score.constancy import CONSTANCY
from intrinsic_cli.kit.score.reflection import REFLECTION
from intrinsic_cli.kit.score.scale_invariant import MIT
from intrinsic_cli.kit.score.scoring import score_case


@pytest.mark.parametrize(
    "protocol",
    [MIT, MIT_BARRON, ARAP_1K, CONSTANCY, REFLECTION],
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
