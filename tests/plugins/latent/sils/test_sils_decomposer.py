"""Photos in, layers out."""

import pytest
import torch

from iid_latent.sils.decomposer import SilsDecomposer, decomposer_from
from iid_latent.sils.networks import Separator
from iid_latent.sils.settings import SilsOptions
from intrinsic_cli.api import Runtime, WeightsError
from intrinsic_cli.api.outputs import FACTORS, SUMMANDS
from intrinsic_cli.kit.light.resize import resize


def _photos(height: int = 32, width: int = 48) -> torch.Tensor:
    return torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(2)) * 0.9 + 0.05


def _decomposer(
    variant: str = "", layers: tuple[str, ...] = FACTORS, width: int = 16, **options: object
) -> SilsDecomposer:
    torch.manual_seed(0)
    state = {"separator": Separator(layers, width).state_dict()}
    given = SilsOptions(**{"size": 32, **options})  # type: ignore[arg-type]  # settings come from strings
    return decomposer_from(state, given, Runtime(torch.device("cpu"), variant=variant))


@pytest.mark.parametrize("variant", ["", "intrinsic"])
def test_factors_multiply_to_the_photo(variant: str) -> None:
    layers = _decomposer(variant)(_photos())
    small = resize(_photos(), (16, 24))
    assert torch.allclose(layers["albedo"] * layers["shading"], small, rtol=2e-2, atol=2e-2)
    assert layers["albedo"].amax(1).flatten(1).quantile(0.99, dim=1).max() <= 1.0001
    assert (layers["shading"] > 0).all()


@pytest.mark.parametrize(
    ("variant", "layers"), [("reflection", 2), ("reflection", 3), ("three", 3)]
)
def test_summands_are_never_negative(variant: str, layers: int) -> None:
    decomposer = _decomposer(variant, SUMMANDS[:layers])
    made = decomposer(_photos())
    assert tuple(made) == ("transmission", "reflection", "flare")[:layers]
    assert all(layer.shape == (2, 3, 16, 24) and (layer >= 0).all() for layer in made.values())
    assert decomposer.frame.upsample == "subtract"


def test_brighter_photos_have_the_same_albedo() -> None:
    decomposer = _decomposer()
    dim, bright = decomposer(_photos() / 4), decomposer(_photos())
    assert torch.allclose(dim["albedo"], bright["albedo"], rtol=1e-3, atol=1e-4)
    assert torch.allclose(dim["shading"] * 4, bright["shading"], rtol=1e-3, atol=1e-4)


def test_brighter_photos_have_brighter_summands() -> None:
    decomposer = _decomposer("reflection", SUMMANDS[:2])
    dim, bright = decomposer(_photos() / 4), decomposer(_photos())
    assert torch.allclose(dim["reflection"] * 4, bright["reflection"], rtol=1e-3, atol=1e-4)


def test_mirrored_photos_have_mirrored_layers() -> None:
    decomposer = _decomposer("reflection", SUMMANDS[:2])
    one, other = decomposer(_photos())["reflection"], decomposer(_photos().flip(3))["reflection"]
    assert torch.allclose(one, other.flip(3), atol=1e-5)
    plain = _decomposer("reflection", SUMMANDS[:2], mirror=False)
    off = plain(_photos())["reflection"] - plain(_photos().flip(3))["reflection"].flip(3)
    assert off.abs().max() > 1e-4


def test_layers_as_they_were_drawn() -> None:
    exact, drawn = _decomposer(), _decomposer(exact=False)
    assert (exact.frame.upsample, drawn.frame.upsample) == ("divide", "resize")
    rebuilt = drawn(_photos())
    assert not torch.allclose(
        rebuilt["albedo"] * rebuilt["shading"], resize(_photos(), (16, 24)), rtol=0.05
    )


def test_small_photos_come_nearer_to_the_size_asked_for() -> None:
    made = _decomposer(size=64)(_photos())
    assert made["albedo"].shape == (2, 3, 24, 40)


def test_weights_of_something_else() -> None:
    with pytest.raises(WeightsError, match="no network 'separator'"):
        decomposer_from({}, SilsOptions(), Runtime(torch.device("cpu")))
    with pytest.raises(WeightsError, match="do not fit"):
        _decomposer("", SUMMANDS[:2])
    with pytest.raises(WeightsError, match="do not fit"):
        _decomposer("reflection", FACTORS)
    with pytest.raises(WeightsError, match="do not fit"):
        _decomposer("", SUMMANDS)
    damaged = {
        "separator": {
            k: x
            for k, x in Separator(FACTORS, 16).state_dict().items()
            if "decoders.shading" not in k
        }
    }
    with pytest.raises(WeightsError, match="do not fit"):
        decomposer_from(damaged, SilsOptions(), Runtime(torch.device("cpu")))
