"""The original files' layouts, made up from generated weights, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch

from iid_flow.published import VARIANTS, convert
from intrinsic_cli.api import WeightsError

Nets = dict[str, Any]
#: Layout → which net lies under which key ("" = the file itself), and what lies beside it.
LAYOUTS: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "bare vae": ({"": "vae"}, {}),
    "bare discriminator": ({"": "discriminator"}, {}),
    "flow release": (
        {"model_state_dict": "unet", "encoder_state_dict": "encoder"},
        {"epoch": 191, "best_val_loss": 2.3, "step_count": 5},
    ),
    "vae training": (
        {"model_state_dict": "vae", "discriminator_state_dict": "discriminator"},
        {
            "optimizer_g_state_dict": {"state": {}, "param_groups": []},
            "train_losses_history": [0.8],
        },
    ),
    "vae as the loaders want it": ({"model_state_dict": "vae"}, {"epoch": 290}),
}


def made_up(nets: Nets, layout: str, prefix: str = "") -> Mapping[str, Any]:
    where, beside = LAYOUTS[layout]
    parts: dict[str, Any] = {
        key: {prefix + k: x for k, x in nets[net].state_dict().items()}
        for key, net in where.items()
    }
    whole: Mapping[str, Any] = parts.get("", {**beside, **parts})
    return whole


@pytest.mark.parametrize("prefix", ["", "_orig_mod."])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_round_trip(
    variant: str, layout: str, prefix: str, generated_nets: Callable[[str], Nets]
) -> None:
    nets = generated_nets(variant)
    taken = convert(made_up(nets, layout, prefix))
    assert taken is not None
    assert taken[0] == variant
    assert set(taken[1]) == set(LAYOUTS[layout][0].values())
    for name, part in taken[1].items():
        theirs = nets[name].state_dict()
        assert list(part) == list(theirs)
        assert all(torch.equal(part[key], theirs[key]) for key in theirs)


@pytest.mark.parametrize(
    "state",
    [{}, {"weight": torch.zeros(3)}, {"model_state_dict": {"conv_in.weight": torch.ones(2)}}],
)
def test_other_files_are_not_ours(state: Mapping[str, Any]) -> None:
    assert convert(state) is None


def test_incomplete_network_is_named(generated_nets: Callable[[str], Nets]) -> None:
    state = dict(generated_nets("albedo16")["vae"].state_dict())
    del state["decoder.model.12.bias"]
    with pytest.raises(
        WeightsError, match=r"vae of albedo16, but decoder\.model\.12\.bias does not fit"
    ):
        convert(state)


def test_mixed_variants_are_refused(generated_nets: Callable[[str], Nets]) -> None:
    old, new = generated_nets("albedo16"), generated_nets("shading8")
    mixed = {
        "model_state_dict": old["unet"].state_dict(),
        "encoder_state_dict": new["encoder"].state_dict(),
    }
    with pytest.raises(WeightsError, match="albedo16 and shading8"):
        convert(mixed)
