"""The separating network: shapes, size, spaces."""

import pytest
import torch

from iid_latent.sils.forward_pass import run_separator
from iid_latent.sils.networks import FINE, Separator

_LIMIT = 2 * 1024 * 1024  # bytes of one shipped variant: two of them share 4 MiB


def _image(height: int, width: int, batch: int = 1) -> torch.Tensor:
    return torch.randn(batch, 3, height, width, generator=torch.Generator().manual_seed(1))


def test_two_layers_fit_in_two_mebibytes_of_half_precision() -> None:
    state = Separator("ab", 32).state_dict()
    stored = sum(x.numel() * (2 if x.ndim > 1 else 4) for x in state.values())
    assert 1_800_000 < stored < _LIMIT - 32_768  # what is left is for the file's header


@pytest.mark.parametrize(("count", "size"), [(2, (32, 32)), (3, (48, 80)), (5, (16, 112))])
def test_shapes_for_any_number_of_layers(count: int, size: tuple[int, int]) -> None:
    separator = Separator("abcde"[:count], 8)
    height, width = size
    codes = separator.encode(_image(height, width, 2))
    assert len(codes) == count
    steps = (2, 4, 8, 16)
    for features in codes:
        assert [tuple(level.shape) for level in features] == [
            (2, FINE if step == 2 else 8, height // step, width // step) for step in steps
        ]
    layers = separator(_image(height, width, 2))
    assert [tuple(layer.shape) for layer in layers] == [(2, 3, height // 2, width // 2)] * count


def test_every_layer_has_a_space_and_a_decoder_of_its_own() -> None:
    separator = Separator("ab", 8)
    layers = separator(_image(32, 32))
    layers[0].square().mean().backward()
    assert all(p.grad is None for p in separator.heads["b"].parameters())
    assert all(p.grad is None for p in separator.decoders["b"].parameters())
    assert all(p.grad is not None for p in separator.heads["a"].parameters())
    assert any(p.grad is not None and bool(p.grad.any()) for p in separator.trunk.parameters())


def test_one_pass_gives_what_single_passes_give() -> None:
    separator = Separator("abc", 8).eval()
    photo, mixture = _image(32, 32, 2), _image(32, 32, 4) * 0.5
    exemplars = [_image(32, 32, 2) + k for k in range(3)]
    with torch.no_grad():
        made = run_separator(separator, photo, mixture, exemplars)
        for k in range(3):
            alone = separator.encode(exemplars[k])[k]
            assert torch.allclose(made.photo.raw[k], separator(photo)[k], atol=1e-5)
            assert torch.allclose(made.mixture.raw[k], separator(mixture)[k], atol=1e-5)
            assert torch.allclose(made.alone.raw[k], separator.decode(k, alone), atol=1e-5)
            assert torch.allclose(made.alone.features[k][1], alone[1], atol=1e-5)
