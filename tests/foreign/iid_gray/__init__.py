"""A stranger's plugin in two files: shading is the photo's brightness, albedo the rest."""

from __future__ import annotations

from dataclasses import dataclass

from intrinsic_cli.api import MethodSpec, Variant, hookimpl, knob


@dataclass(frozen=True, slots=True)
class GrayOptions:
    floor: float = knob(0.01, "least shading, so that black stays divisible")
    weights: str = knob("rec709", "how colours count for brightness", choices=("rec709", "equal"))


@hookimpl
def iid_methods() -> list[MethodSpec]:
    return [
        MethodSpec(
            name="gray",
            summary="shading is a power of the photo's brightness",
            target="iid_gray.method:Gray",
            variants=(
                Variant(
                    layers=("albedo", "shading"),
                    needs=frozenset({"photo", "shading"}),
                    options=GrayOptions,
                    smoke={"batch_size": 2, "crop": 16, "val_batches": 1},
                ),
            ),
        )
    ]
