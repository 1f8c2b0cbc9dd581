"""Every variant keeps the contract."""

from __future__ import annotations

import pytest

import iid_residual
from intrinsic_cli.testing import check_method

(SPEC,) = iid_residual.iid_methods()


@pytest.mark.parametrize("name", [variant.name for variant in SPEC.variants])
def test_a_variant_keeps_the_contract(name: str) -> None:
    check_method(SPEC, name=name)
