"""The published networks: names, sizes and answers; ours in their places."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from iid_residual.networks.pipe import RAW, SHIFTED, Pipe, Prediction, SkipPipe, build
from iid_residual.networks.sfsnet import PUBLISHED
from iid_residual.variants import DESIGNS, design_of

KeyList = Callable[[str], dict[str, tuple[int, ...]]]
MadeUp = Callable[[nn.Module], dict[str, Tensor]]
Parity = Callable[[str], list[dict[str, np.ndarray]]]

EXTRAS = {
    "correcting": ("extra_v1", 4_999_527, 314),
    "latent": ("extra_v2", 4_946_508, 305),
    "residue": ("extra_v3", 4_997_220, 305),
    "albedo-residue": ("extra_v4", 3_518_564, 230),
}
ANSWERS = {
    "sfsnet": ("sfsnet", "drawn albedo light"),
    "skipnet": ("skipnet", "drawn albedo light"),
    "correcting": ("v1", "drawn albedo light harmonic shading rebuilt"),
    "residue": ("v3", "drawn albedo light harmonic residual shading rebuilt"),
    "albedo-residue": ("v4", "drawn albedo darker light harmonic residual shading rebuilt"),
}


def _shapes(network: nn.Module) -> dict[str, tuple[int, ...]]:
    return {key: tuple(x.shape) for key, x in network.state_dict().items()}


def _parameters(network: nn.Module) -> int:
    return sum(x.numel() for x in network.parameters())


def _paper(name: str, width: int = PUBLISHED) -> Pipe:
    network = build(design_of(name), "paper", width)
    assert isinstance(network, Pipe)
    return network


def test_sfsnet_has_the_published_names_shapes_and_order(key_list: KeyList) -> None:
    network = _paper("sfsnet")
    assert list(_shapes(network).items()) == list(key_list("keys_sfsnet").items())
    assert _parameters(network) == 3_423_393


def test_skipnet_has_the_published_names_shapes_and_order(key_list: KeyList) -> None:
    network = SkipPipe(64)
    assert list(_shapes(network).items()) == list(key_list("keys_skipnet").items())
    assert _parameters(network) == 9_455_201


@pytest.mark.parametrize("name", EXTRAS)
def test_variants_add_the_published_heads(name: str, key_list: KeyList) -> None:
    extra, parameters, keys = EXTRAS[name]
    network = _paper(name)
    expected = key_list("keys_sfsnet") | key_list(extra)
    if name == "latent":
        expected = {k: v for k, v in expected.items() if not k.startswith("light_estimator")}
    assert _shapes(network).keys() == expected.keys()
    assert (_parameters(network), len(expected)) == (parameters, keys)


@pytest.mark.parametrize(
    ("name", "count"), [("gan", 3_427_681 + 90_883), ("gan-separate", 4_906_337 + 90_883)]
)
def test_variants_with_a_discriminator_have_the_published_size(name: str, count: int) -> None:
    assert _parameters(_paper(name)) == count


@pytest.mark.parametrize("name", ANSWERS)
def test_the_published_networks_answer_as_published(
    name: str, photos: Tensor, parity: Parity, made_up: MadeUp
) -> None:
    """With their habit of taking drawn normals for vectors."""
    network = build(design_of(name), "paper", 64 if name == "skipnet" else PUBLISHED).eval()
    network.load_state_dict(made_up(network))
    network.encoding = RAW
    part = "normal_decoder" if name == "skipnet" else "normal_gen_model"
    drawn = _listened(network.get_submodule(part))
    with torch.no_grad():
        made = network(photos)
    fixture, words = ANSWERS[name]
    expected = parity(fixture)
    assert len(expected) == len(words.split())
    for word, truth in zip(words.split(), expected, strict=True):
        mine = drawn[0] if word == "drawn" else getattr(made, word)
        _compare(mine, truth)


def _listened(part: nn.Module) -> list[Tensor]:
    """What a part answers, once it is asked: normals as numbers, before they become vectors."""
    answers: list[Tensor] = []
    part.register_forward_hook(lambda _part, _given, answer: answers.append(answer))
    return answers


def _compare(mine: Tensor, truth: dict[str, np.ndarray]) -> None:
    assert tuple(mine.shape) == tuple(truth["shape"])
    pixels = mine[..., 5::16, 5::16] if mine.ndim == 4 else mine
    np.testing.assert_allclose(pixels.numpy(), truth["pixels"], atol=1e-4)
    found = [mine.mean().item(), mine.std(correction=0).item()]
    np.testing.assert_allclose(found, truth["mean_std"], atol=1e-4)


@pytest.mark.parametrize("backbone", ["lite", "paper"])
@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.name)
def test_every_variant_answers_at_any_size(design: object, backbone: str) -> None:
    network = build(design, backbone, 16).eval()  # type: ignore[arg-type]
    side = 64
    with torch.no_grad():
        made: Prediction = network(torch.rand(1, 3, side, side + 32))
    layers = [made.normals, made.albedo, made.shading, made.rebuilt]
    assert len({tuple(x.shape) for x in layers}) == 1
    assert made.albedo.shape[-1] in (side + 32, side // 2 + 16)
    assert made.normals.square().sum(1).allclose(torch.tensor(1.0), atol=1e-4)
    assert made.rebuilt.allclose(made.albedo * made.shading)
    harmonic = design_of(design.name).harmonic  # type: ignore[attr-defined]
    assert (made.light is not None) == harmonic


def test_the_residual_adds_to_the_harmonics_and_leaves_the_albedo() -> None:
    network = _paper("albedo-residue", 16).eval()
    with torch.no_grad():
        made = network(torch.rand(1, 3, 32, 32))
    assert made.shading.allclose(made.harmonic + made.residual)
    assert made.darker.allclose(made.albedo - made.residual)


def test_harmonics_get_unit_vectors_however_normals_are_drawn(photos: Tensor) -> None:
    """The central trap: numbers of 0..1 are no vectors."""
    network = _paper("sfsnet", 16).eval()
    made = {}
    for encoding in (SHIFTED, RAW):
        network.encoding = encoding
        with torch.no_grad():
            made[encoding] = network(photos[:1, :, :32, :32])
    assert made[SHIFTED].normals.equal(made[RAW].normals)
    assert not made[SHIFTED].harmonic.allclose(made[RAW].harmonic, atol=1e-3)
    assert made[SHIFTED].normals.square().sum(1).allclose(torch.tensor(1.0), atol=1e-4)


def test_a_black_border_darkens_only_the_border() -> None:
    from iid_residual.networks.sfsnet import Generator

    generator, x = Generator(16), torch.rand(1, 16, 8, 8)
    plain = generator._enlarged(x)
    generator.zero_border = True
    framed = generator._enlarged(x)
    assert framed.shape == plain.shape
    assert framed[..., 1:-1, 1:-1].allclose(plain[..., 1:-1, 1:-1], atol=1e-6)
    assert framed[..., 0, 1:-1].allclose(plain[..., 0, 1:-1] * 0.75, atol=1e-6)


def test_lights_begin_as_the_caffe_original_began() -> None:
    light = _paper("sfsnet", 16).light_estimator_model.fc
    assert light.bias.eq(1).all()
    assert light.weight.abs().max() < 0.05
