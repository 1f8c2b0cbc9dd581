"""Sizes that the networks cannot be built or fed with are refused before training."""

from __future__ import annotations

import pytest

from iid_latent.sils.settings import ReflectionConfig, SilsConfig
from iid_latent.usi3d.settings import OriginalConfig, Usi3dConfig
from intrinsic_cli.api import UsageError
from intrinsic_cli.settings import settle


@pytest.mark.parametrize("config", [Usi3dConfig, OriginalConfig, SilsConfig, ReflectionConfig])
def test_crops_are_multiples_of_32(config: type) -> None:
    assert settle(config, {}, ["crop=96"]).crop == 96
    with pytest.raises(UsageError, match="crop must be a multiple of 32, not 100"):
        settle(config, {}, ["crop=100"])


@pytest.mark.parametrize("config", [Usi3dConfig, SilsConfig, ReflectionConfig])
def test_widths_are_multiples_of_8(config: type) -> None:
    with pytest.raises(UsageError, match="width must be a multiple of 8, not 20"):
        settle(config, {}, ["width=20"])
