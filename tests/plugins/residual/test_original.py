"""Checkpoints of the published code: three layouts, one network."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from iid_residual.networks.discriminators import discriminator
from iid_residual.networks.pipe import RAW, SHIFTED, SIGNED, Pipe, build
from iid_residual.networks.state import load
from iid_residual.original import convert
from iid_residual.variants import design_of
from intrinsic_cli.api import WeightsError

FIXTURES = Path(__file__).parents[2] / "fixtures" / "residual"
MadeUp = Callable[[nn.Module], dict[str, Tensor]]
WIDTH = 16


@pytest.fixture
def network(made_up: MadeUp) -> Pipe:
    made = build(design_of("sfsnet"), "paper", WIDTH).eval()
    assert isinstance(made, Pipe)
    made.load_state_dict(made_up(made))
    return made


def _shifted(network: nn.Module) -> None:
    """Make it draw normals about a half."""
    with torch.no_grad():
        network.get_submodule("normal_gen_model.conv3").weight.mul_(0.01)
        network.get_submodule("normal_gen_model.conv3").bias.copy_(torch.tensor([0.5, 0.5, 0.9]))


AUTHORS = {
    "conv_model.conv1": "conv1.conv",
    "conv_model.conv2": "conv2.conv",
    "conv_model.conv3": "conv3",
    "light_estimator_model.conv1": "lconv.conv",
    "light_estimator_model.fc": "lout",
}
for full, letter in (("normal", "n"), ("albedo", "a")):
    AUTHORS |= {f"{full}_residual_model.block{k}": f"{letter}res{k}" for k in range(1, 6)}
    AUTHORS |= {f"{full}_gen_model.conv{k}": f"{letter}conv{k}.conv" for k in (1, 2)}
    AUTHORS[f"{full}_residual_model.bn1"] = f"{letter}reso.0"
    AUTHORS[f"{full}_gen_model.conv3"] = f"{letter}out"


def _named(state: dict[str, Tensor], names: dict[str, str]) -> dict[str, Tensor]:
    renamed = {}
    for key, values in state.items():
        ours = next(name for name in names if key.startswith(f"{name}."))
        if not key.endswith("num_batches_tracked"):
            renamed[names[ours] + key.removeprefix(ours)] = values
    return renamed


def test_the_authors_file_becomes_the_same_network(network: Pipe, photos: Tensor) -> None:
    found = convert(_named(network.state_dict(), AUTHORS))
    assert found is not None
    variant, nets = found
    imported, conventions = load(design_of(variant), nets)
    assert variant == "sfsnet"
    assert (int(conventions.encoding), bool(conventions.srgb)) == (SHIFTED, True)
    network.encoding = SHIFTED
    _same(network, imported.eval(), photos)


def test_caffes_file_becomes_the_same_network(network: Pipe, photos: Tensor) -> None:
    """Seen through BGR, with its own order of light's inputs; its norms have no slopes."""
    pairs = dict(json.loads((FIXTURES / "caffe_port_key_map.json").read_text()))
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight.fill_(1)
                module.bias.fill_(0)
    caffe = _named(network.state_dict(), pairs)
    norms = {key.rpartition(".")[0] for key in caffe if key.endswith("running_var")}
    for name in norms:
        del caffe[f"{name}.weight"], caffe[f"{name}.bias"]
    caffe["bn1.running_mean"] = caffe["bn1.running_mean"] * 3
    caffe["bn1.running_var"] = caffe["bn1.running_var"] * 3
    caffe["bn1.scale_factor"] = torch.tensor([3.0])
    caffe["conv1.weight"] = caffe["conv1.weight"].flip(1)
    for key in ("Nconv0.weight", "Nconv0.bias", "Aconv0.weight", "Aconv0.bias"):
        caffe[key] = caffe[key].flip(0)
    shared, normals, albedo = caffe["lconv1.weight"].chunk(3, 1)
    caffe["lconv1.weight"] = torch.cat([normals, albedo, shared], 1)
    found = convert(caffe)
    assert found is not None
    imported, conventions = load(design_of(found[0]), found[1])
    assert bool(conventions.zero_border)
    network.encoding = SHIFTED
    _same(network, imported.eval(), photos, border=4)


def _same(one: nn.Module, other: nn.Module, photos: Tensor, border: int = 0) -> None:
    with torch.no_grad():
        first, second = one(photos[:, :, :48, :48]), other(photos[:, :, :48, :48])
    inner = slice(border, 48 - border)
    for word in ("normals", "albedo", "shading"):
        mine, theirs = getattr(first, word), getattr(second, word)
        assert mine[..., inner, inner].allclose(theirs[..., inner, inner], atol=1e-5), word
    assert first.light.allclose(second.light, atol=1e-5)


@pytest.mark.parametrize(
    "name", ["residue", "correcting", "latent", "albedo-residue", "gan", "sfsnet"]
)
def test_the_ports_files_are_told_apart(name: str, made_up: MadeUp) -> None:
    made = build(design_of(name), "paper", WIDTH)
    made.load_state_dict(made_up(made))
    _shifted(made)
    found = convert(made.state_dict())
    assert found is not None
    variant, nets = found
    assert variant == ("" if name == "residue" else name)
    assert int(nets["conventions"]["encoding"]) == (SHIFTED if name == "sfsnet" else RAW)


@pytest.mark.parametrize(("name", "found_as"), [("gan", "gan"), ("gan-label", "gan-separate")])
def test_parts_in_files_of_their_own_come_together(
    name: str, found_as: str, made_up: MadeUp, photos: Tensor
) -> None:
    """The albedo generator and the discriminator lie beside the network; variants whose networks
    look alike are told apart by name alone."""
    design = design_of(name)
    made = build(design, "paper", WIDTH)
    made.load_state_dict(made_up(made))
    _shifted(made)
    whole = made.state_dict()
    first = "albedo_gen_model."
    generator = {key.removeprefix(first): x for key, x in whole.items() if key.startswith(first)}
    rest = {key: x for key, x in whole.items() if not key.startswith(first)}
    opponent = discriminator(design.adversary, 4).state_dict()
    found = convert({"pipe": rest, "albedo_gen_model": generator, "albedo_dis_model": opponent})
    assert found is not None
    variant, nets = found
    assert variant == found_as
    assert nets.keys() == {"pipe", "conventions"}
    imported, _ = load(design_of(variant), nets)
    made.encoding = RAW
    _same(made.eval(), imported.eval(), photos)
    with pytest.raises(WeightsError, match="no albedo_gen_model") as told:
        convert(rest)
    assert "folder of both" in told.value.hint
    with pytest.raises(WeightsError, match="several albedo generators"):
        convert({"a": rest, "b": generator, "c": generator})


def test_one_network_in_a_dictionary_of_its_own_is_found(network: Pipe) -> None:
    found = convert({"state_dict": network.state_dict(), "epoch": 3})
    assert found is not None
    assert found[0] == "sfsnet"


def test_normals_the_port_has_taught_itself_are_vectors(network: Pipe) -> None:
    with torch.no_grad():
        network.normal_gen_model.conv3.weight.mul_(0.01)
        network.normal_gen_model.conv3.bias.copy_(torch.tensor([0.0, 0.0, 0.9]))
    found = convert(network.state_dict())
    assert found is not None
    assert int(found[1]["conventions"]["encoding"]) == SIGNED


def test_skipnet_is_recognised(made_up: MadeUp) -> None:
    made = build(design_of("skipnet"), "paper", 8)
    found = convert(made_up(made))
    assert found is not None
    assert found[0] == "skipnet"


def test_others_are_not_recognised_and_damaged_ones_refused(network: Pipe) -> None:
    assert convert({"conv1.weight": torch.zeros(1)}) is None
    damaged = dict(network.state_dict())
    del damaged["albedo_gen_model.conv3.bias"]
    with pytest.raises(WeightsError, match=r"albedo_gen_model\.conv3\.bias"):
        convert(damaged)
