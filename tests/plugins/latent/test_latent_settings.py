"""Sizes that the networks cannot be built or fed with are refused before training."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import pytest

from iid_latent.sils.settings import PRODUCT, ReflectionConfig, SilsConfig
from iid_latent.usi3d.settings import OriginalConfig, Usi3dConfig
from intrinsic_cli.api import UsageError
from intrinsic_cli.settings import settle, to_toml


@pytest.mark.parametrize("config", [Usi3dConfig, OriginalConfig, SilsConfig, ReflectionConfig])
def test_crops_are_multiples_of_32(config: type) -> None:
    assert settle(config, {}, ["crop=96"]).crop == 96
    with pytest.raises(UsageError, match="crop must be a multiple of 32, not 100"):
        settle(config, {}, ["crop=100"])


@pytest.mark.parametrize("config", [Usi3dConfig, OriginalConfig, SilsConfig, ReflectionConfig])
def test_a_weight_is_the_variant_s_own_or_not_negative(config: type) -> None:
    assert settle(config, {}, []).compose is None
    assert settle(config, {"compose": 0.5}, ["compose=none", "cycle=0"]).compose is None
    with pytest.raises(UsageError, match="compose must be at least 0, not -1"):
        settle(config, {}, ["compose=-1"])
    given = settle(config, {}, ["cycle=0", "adversarial=0.5"])
    again = settle(config, tomllib.loads(to_toml(given)), [])
    assert again == given


def test_weights_that_are_not_given_stay() -> None:
    given = SilsConfig(cycle=0.0).term_weights(PRODUCT)
    assert given == replace(PRODUCT, cycle=0.0)


@pytest.mark.parametrize("config", [Usi3dConfig, SilsConfig, ReflectionConfig])
def test_widths_are_multiples_of_8(config: type) -> None:
    with pytest.raises(UsageError, match="width must be a multiple of 8, not 20"):
        settle(config, {}, ["width=20"])
