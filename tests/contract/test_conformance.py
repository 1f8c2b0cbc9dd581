"""Every registered method × variant × stage keeps the contract. There is no list of exceptions."""

from __future__ import annotations

import pytest

from intrinsic_cli.registry import load_registry

METHODS = load_registry().methods
CASES = [
    pytest.param(name, variant.name, stage, id=":".join(filter(None, (name, variant.name, stage))))
    for name, spec in METHODS.items()
    for variant in spec.variants
    for stage in variant.stages or (None,)
]


@pytest.mark.parametrize(("name", "variant", "stage"), CASES)
def test_conforms(name: str, variant: str, stage: str | None) -> None:
    from intrinsic_cli.testing import check_method

    check_method(METHODS[name], stage, variant)
