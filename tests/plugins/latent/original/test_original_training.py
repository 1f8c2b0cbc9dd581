"""One discriminator and one generator update of the published code, faults and all, against its
numbers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.optim import Adam

from iid_latent.usi3d import terms
from iid_latent.usi3d.domains import Nets
from iid_latent.usi3d.original import build_for

GENERATORS, DISCRIMINATORS = ("gen_i", "gen_r", "gen_s", "fea_s", "fea_m"), ("dis_r", "dis_s")
#: Our group and term → the published name after ``loss_gen_``.
NAMES = {
    **{f"image.{k}": f"recon_x_{k}" for k in "irs"},
    **{f"prior.{k}": f"recon_s_{k}" for k in ("ii", "rs", "ri", "ri_rand", "sr", "si", "si_rand")},
    **{f"content.{k}": f"recon_c_{k}" for k in ("rs", "ri", "ri_rand", "sr", "si", "si_rand")},
    **{f"adversarial.{k}": f"adv_{k}" for k in ("rs", "ri", "ri_rand", "sr", "si", "si_rand")},
    **{
        f"cycle.{k}": f"cyc_recon_x_{v}"
        for k, v in (("r", "rs"), ("s", "sr"), ("i_ri", "ir"), ("i_si", "is"))
    },
    **{"cycle.i_ri_rand": "cyc_recon_x_ir_rand", "cycle.i_si_rand": "cyc_recon_x_is_rand"},
    **{"physical.i": "phy_i", "physical.i_rand": "phy_i_rand"},
}
WEIGHTS = {
    "image": 10,
    "cycle": 10,
    "physical": 5,
    "prior": 0.01,
    "content": 0.01,
    "adversarial": 1,
}
#: Gradients below this are rounding: of biases that a norm takes away again. Adam makes full steps
#: of them.
ROUNDING = 1e-4


@dataclass
class Update:
    """What one round of updates left behind."""

    nets: dict[str, nn.Module]
    told: dict[str, float]
    groups: dict[str, dict[str, float]]
    total: float
    gradients: dict[str, float]


@pytest.fixture(scope="module")
def reference(shared_file: Callable[[str], Path]) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(shared_file("tiny/parity_train.json").read_text())
    return told


@pytest.fixture(scope="module")
def update(shared_file: Callable[[str], Path], tiny_state: Any) -> Update:
    archive = np.load(shared_file("tiny/parity_train_inputs.npz"))
    x = {name: torch.from_numpy(archive[name]) for name in archive.files}
    nets: dict[str, Any] = build_for(tiny_state)
    sides = (_adam(nets, DISCRIMINATORS), _adam(nets, GENERATORS))
    images, discriminators = (
        (x["x_i"], x["x_r"], x["x_s"]),
        {name: nets[f"dis_{name}"] for name in "rs"},
    )
    ours = Nets(*(nets[name] for name in GENERATORS))
    # The discriminators' step draws styles around the opposite means.
    drawn = (x["noise_dis_r"] - 10, x["noise_dis_s"] + 10)
    made = terms.translate(ours, terms.encode(ours, *images), *drawn)
    told = terms.discriminator(
        discriminators, {"r": x["x_r"], "s": x["x_s"]}, made, terms.PUBLISHED
    )
    terms.sum_of(list(told.values())).backward()
    gradients = _gradients(nets, DISCRIMINATORS)
    assert not _gradients(nets, GENERATORS), (
        "a discriminator's step must leave the generators alone"
    )
    sides[0].step()
    groups = _generator_terms(
        ours, discriminators, images, (x["noise_gen_r"] + 10, x["noise_gen_s"] - 10)
    )
    total = terms.sum_of(
        [WEIGHTS[name] * terms.sum_of(list(group.values())) for name, group in groups.items()]
    )
    total.backward()
    gradients |= _gradients(nets, GENERATORS)
    sides[1].step()
    plain = {
        name: {key: loss.item() for key, loss in group.items()} for name, group in groups.items()
    }
    return Update(
        nets, {name: loss.item() for name, loss in told.items()}, plain, total.item(), gradients
    )


def _generator_terms(
    nets: Nets,
    discriminators: Mapping[str, Any],
    images: tuple[Tensor, Tensor, Tensor],
    drawn: tuple[Tensor, Tensor],
) -> terms.Terms:
    codes = terms.encode(nets, *images)
    made = terms.translate(nets, codes, *drawn)
    groups = terms.consistency(nets, images, codes, made, drawn, terms.PUBLISHED)
    groups["physical"] = terms.physical(images[0], made, terms.PUBLISHED)
    groups["adversarial"] = terms.adversarial(discriminators, made)
    return groups


def _adam(nets: Mapping[str, nn.Module], names: tuple[str, ...]) -> Adam:
    weights = [p for name in names for p in nets[name].parameters()]
    return Adam(weights, 1e-4, (0.5, 0.999), weight_decay=1e-4)


def _gradients(nets: Mapping[str, nn.Module], names: tuple[str, ...]) -> dict[str, float]:
    named = ((f"{name}.{key}", p) for name in names for key, p in nets[name].named_parameters())
    return {name: p.grad.norm().item() for name, p in named if p.grad is not None}


def test_discriminator_losses(update: Update, reference: dict[str, Any]) -> None:
    theirs = reference["dis_losses"]
    assert {f"loss_dis_{name}": loss for name, loss in update.told.items()} == pytest.approx(
        {name: loss for name, loss in theirs.items() if name != "loss_dis_total"}, abs=1e-4
    )
    assert sum(update.told.values()) == pytest.approx(theirs["loss_dis_total"], abs=1e-4)


def test_generator_losses(update: Update, reference: dict[str, Any]) -> None:
    ours = {
        f"{name}.{key}": loss
        for name, group in update.groups.items()
        for key, loss in group.items()
    }
    assert {f"loss_gen_{NAMES[name]}": loss for name, loss in ours.items()} == pytest.approx(
        {
            k: v
            for k, v in reference["gen_losses"].items()
            if k.startswith("loss_gen_") and k != "loss_gen_total"
        },
        abs=1e-4,
    )
    assert update.total == pytest.approx(reference["gen_losses"]["loss_gen_total"], abs=1e-3)


def test_gradient_norms(update: Update, reference: dict[str, Any]) -> None:
    theirs = reference["dis_grad_norm"] | reference["gen_grad_norm"]
    assert update.gradients == pytest.approx(theirs, rel=1e-3, abs=ROUNDING)


def test_weights_after_the_updates(update: Update, reference: dict[str, Any]) -> None:
    theirs, gradients = (
        reference["post_step_param_sum_norm"],
        reference["dis_grad_norm"] | reference["gen_grad_norm"],
    )
    ours = {
        f"{name}.{key}": p for name, net in update.nets.items() for key, p in net.named_parameters()
    }
    assert ours.keys() == theirs.keys()
    for name, p in ours.items():
        total, norm = theirs[name]
        if gradients.get(name, 0.0) > ROUNDING:
            assert p.sum().item() == pytest.approx(total, abs=1e-3), name
        assert p.norm().item() == pytest.approx(norm, rel=1e-4, abs=1e-3), name
