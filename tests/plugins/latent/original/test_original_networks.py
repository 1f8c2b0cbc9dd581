"""The rebuilt networks against the published ones: names, shapes, counts, starting weights and
numbers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from iid_latent.usi3d.original import build

Nets = dict[str, Any]
COUNTS = {
    "MPI": (15_026_187, 72_208, 72_200, 2_764_936, 1_120_768),
    "MIX_IIW": (15_038_499, 222_272, 222_240, 2_771_104, 1_126_912),
}


def count(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def near(ours: Tensor, theirs: Tensor) -> None:
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)


@pytest.fixture(scope="module")
def skeletons() -> Callable[[str], Nets]:
    @cache
    def make(variant: str) -> Nets:
        with torch.device("meta"):
            return build(variant)

    return make


@pytest.mark.parametrize(
    ("file", "variant"), [("gen_MPI", "MPI"), ("gen_MIX", "MIX_IIW"), ("dis", "MPI")]
)
def test_keys_and_shapes_are_the_published_ones(
    file: str,
    variant: str,
    skeletons: Callable[[str], Nets],
    key_list: Callable[[str], list[tuple[str, str, str]]],
) -> None:
    nets = skeletons(variant)
    ours = {"i": "gen_i", "fs": "fea_s", "fm": "fea_m", "r|s": "dis_r"}
    listed = [row for row in key_list(file) if ".norm.running_" not in row[1]]
    for part in {row[0] for row in listed}:
        state = nets[ours[part]].state_dict()
        theirs = {key: shape for name, key, shape in listed if name == part}
        assert {key: str(tuple(x.shape)) for key, x in state.items()} == theirs


@pytest.mark.parametrize("variant", COUNTS)
def test_parameter_counts(variant: str, skeletons: Callable[[str], Nets]) -> None:
    nets = skeletons(variant)
    domain = nets["gen_i"]
    measured = map(count, (domain, nets["fea_s"], nets["fea_m"], domain.enc_style, domain.mlp))
    assert tuple(measured) == COUNTS[variant]
    assert (count(domain.enc_content), count(domain.dec)) == (5_385_856, 5_754_627)
    assert [count(nets[name]) for name in ("dis_r", "dis_s")] == [8_271_171, 8_271_171]


def test_starting_weights() -> None:
    torch.manual_seed(0)
    nets: Nets = build("MPI", dim=8)
    conv = nets["gen_r"].enc_content.model[3].model[0].model[0].conv
    assert conv.weight.std().item() == pytest.approx((2 / conv.weight[0].numel()) ** 0.5, rel=0.05)
    assert nets["fea_s"].mlp.model[1].fc.weight.std().item() == pytest.approx(
        (2 / 32) ** 0.5, rel=0.1
    )
    assert nets["dis_s"].cnns[0][2].conv.weight.std().item() == pytest.approx(0.02, rel=0.05)
    norm = nets["gen_r"].dec.model[2].norm
    assert 0 <= norm.gamma.min() < norm.gamma.max() <= 1
    biases = [
        p
        for net in nets.values()
        for key, p in net.named_parameters()
        if key.endswith((".bias", ".beta"))
    ]
    assert biases
    assert not any(p.any() for p in biases)


@pytest.mark.parametrize("case", ["a", "b", "c"])
@torch.inference_mode()
def test_parity(case: str, tiny_nets: Nets, truth: Callable[[str], Tensor]) -> None:
    i, r, s = (tiny_nets[f"gen_{name}"] for name in "irs")
    content, style = i.encode(truth(f"{case}_x"))
    near(content, truth(f"{case}_content"))
    near(style, truth(f"{case}_style"))
    z_r, z_s = tiny_nets["fea_s"](style)
    for name, net, z in (("r", r, z_r), ("s", s, z_s)):
        near(z, truth(f"{case}_style_{name}"))
        near(net.mlp(z), truth(f"{case}_adain_{name}"))
        near(net.decode(content, z), truth(f"{case}_out_{name}"))
    near(tiny_nets["fea_m"](z_r, z_s), truth(f"{case}_merged"))
    near(i.decode(content, style), truth(f"{case}_recon_i"))


@torch.inference_mode()
def test_discriminator_parity(tiny_nets: Nets, truth: Callable[[str], Tensor]) -> None:
    for name in "rs":
        scores = tiny_nets[f"dis_{name}"](truth("a_x"))
        assert len(scores) == 3
        for i, score in enumerate(scores):
            near(score, truth(f"a_dis_{name}_{i}"))


@torch.inference_mode()
def test_every_block_has_the_published_statistics(
    tiny_nets: Nets, truth: Callable[[str], Tensor]
) -> None:
    seen: list[Tensor] = []
    photos, albedos = tiny_nets["gen_i"], tiny_nets["gen_r"]
    for block in (*photos.enc_content.model, *albedos.dec.model[:5]):
        block.register_forward_hook(lambda _net, _given, y: seen.append(y))
    content, style = photos.encode(truth("a_x"))
    last = albedos.decode(content, tiny_nets["fea_s"](style)[0])
    maps = {"enc": dict(enumerate(seen[:4])), "dec": dict(enumerate([*seen[4:], last]))}
    for part, numbered in maps.items():
        for i, x in numbered.items():
            if (part, i) in (("dec", 1), ("dec", 3)):
                continue  # upsampling, here a part of the block after it
            near(torch.stack([x.mean(), x.std(), x.abs().max()]), truth(f"a_{part}_stat_{i}"))
