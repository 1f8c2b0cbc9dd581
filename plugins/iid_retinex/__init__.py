"""Colour Retinex: steep changes of brightness or colour are paint, the rest is light. The floor
learning must beat."""

from __future__ import annotations

from iid_retinex.settings import RetinexConfig, RetinexOptions
from intrinsic_cli.api import MethodSpec, Variant, hookimpl


@hookimpl
def iid_methods() -> list[MethodSpec]:
    """One method without variants; its training fits two numbers."""
    return [
        MethodSpec(
            name="retinex",
            summary="colour Retinex: gradients sorted by two thresholds, shading by least squares",
            target="iid_retinex.method:Retinex",
            variants=(
                Variant(
                    layers=("albedo", "shading"),
                    needs=frozenset({"photo", "albedo", "shading", "mask"}),
                    options=RetinexOptions,
                    config=RetinexConfig,
                    smoke={"batch_size": 1, "crop": 32, "val_batches": 1},
                ),
            ),
            paper="Grosse et al., Ground truth dataset for intrinsic image algorithms, ICCV 2009",
        )
    ]
