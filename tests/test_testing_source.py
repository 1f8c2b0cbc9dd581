"""The miniature dataset makes whatever key a method may need, and its scenes are true."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from intrinsic_cli.api import MethodSpec, PluginError, Variant
from intrinsic_cli.api.data import ROWS, Row
from intrinsic_cli.kit.data import harmonics
from intrinsic_cli.registry import Registry, open_dataset
from intrinsic_cli.testing import check_description
from intrinsic_cli.testing_source import (
    ODD,
    OFFERS,
    POINTS,
    TINY,
    Tiny,
    data_text,
    open_tiny,
    tiny_offering,
)

OWN: dict[str, Row] = {"gaze": "vectors", "age": "numbers", "eyes": "points", "lamp": "light"}


def opened(*needs: str) -> Tiny:
    """Tiny as a run opens it: by the text behind ``--data``."""
    spec = tiny_offering(needs, OWN)
    source = open_dataset(data_text(spec), Registry(datasets={spec.name: spec}))
    assert isinstance(source, Tiny)
    assert source.offers == spec.offers
    return source


def test_it_makes_every_known_key_without_being_told() -> None:
    source = opened(*ROWS)
    batch = next(source.batches("train", 2, 8))
    assert batch.keys() == set(ROWS)
    shapes = {key: tuple(x.shape) for key, x in batch.items()}
    three = ("photo", "albedo", "shading", "residual", "transmission", "reflection", "flare")
    assert {shapes[key] for key in (*three, "normals")} == {(2, 3, 8, 8)}
    assert {shapes[key] for key in ("mask", "silhouette", "depth")} == {(2, 1, 8, 8)}
    assert shapes["keypoints"] == (2, POINTS, 3)
    assert shapes["light"] == (2, 27)
    assert all(x.dtype == torch.float32 and x.isfinite().all() for x in batch.values())
    case = source.cases()[0]
    assert {*case.truth, *case.facts, "photo", "mask"} == set(ROWS)


def test_keys_of_a_methods_own_are_made_by_kind() -> None:
    batch = next(opened("gaze", "age", "eyes", "lamp", "photo_mask").batches("val", 1, 8))
    shapes = {key: tuple(batch[key].shape) for key in ("gaze", "eyes", "lamp", "photo_mask")}
    assert shapes == {
        "gaze": (1, 3, 8, 8),
        "eyes": (1, POINTS, 3),
        "lamp": (1, 27),
        "photo_mask": (1, 1, 8, 8),
    }
    assert batch["age"].ndim == 2


def test_a_key_of_an_unknown_kind_is_told() -> None:
    with pytest.raises(PluginError, match="'aura' is not known"):
        tiny_offering({"aura"})
    spec = MethodSpec("gray", "one line", "iid_gray.method:Gray", (Variant(layers=("albedo",)),))
    needy = MethodSpec(
        spec.name,
        spec.summary,
        spec.target,
        (Variant(layers=("albedo",), needs=frozenset({"aura"})),),
    )
    assert check_description(spec, "").offers == OFFERS
    with pytest.raises(AssertionError, match=r"broken promise: .*'aura' is not known"):
        check_description(needy, "")


def test_what_is_not_asked_for_is_not_offered() -> None:
    assert open_tiny().offers == TINY.offers == OFFERS
    assert next(open_tiny().batches("train", 1, 8)).keys() == OFFERS
    assert data_text(TINY) == "tiny:albedo,mask,normals,photo,shading"


def test_residual_and_summands_give_the_photo_back() -> None:
    case = opened(*ROWS).cases()[0]
    rebuilt = case.truth["albedo"] * case.truth["shading"] + case.truth["residual"]
    np.testing.assert_allclose(rebuilt, case.photo, atol=1e-6)
    assert case.truth["residual"].max() > 0.05
    total = case.truth["transmission"] + case.truth["reflection"] + case.truth["flare"]
    np.testing.assert_allclose(total, case.photo, atol=1e-6)
    plain = opened().cases()[0]
    assert plain.photo.shape == (*ODD, 3)
    product = plain.truth["albedo"] * plain.truth["shading"]
    np.testing.assert_allclose(product, plain.photo, atol=1e-6)


def test_depth_belongs_to_the_normals_and_light_to_the_shading() -> None:
    case = opened(*ROWS).cases()[1]
    height, width = ODD
    down, right = np.gradient(case.truth["depth"][..., 0].astype(np.float64))
    normals = np.stack([right * width, -down * height, np.ones(ODD)], axis=-1)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    inner = np.s_[2:-2, 2:-2]
    np.testing.assert_allclose(normals[inner], case.truth["normals"][inner], atol=0.05)
    shading = harmonics.shade(case.truth["normals"], case.facts["light"])
    np.testing.assert_allclose(shading, case.truth["shading"], atol=0.1)
