"""How layers composition, and what tasks there are."""

import pytest
import torch

from iid_latent.sils.composition import Product, Sum, display, undisplay
from intrinsic_cli.kit.light.exposure import exposure


def _images(count: int, size: int = 16) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    return [torch.rand(2, 3, size, size, generator=generator) * 0.8 + 0.1 for _ in range(count)]


def test_display_values_and_their_inverse() -> None:
    light = torch.tensor([0.0, 0.01, 1.0, 30.0])
    assert display(light)[2].item() == pytest.approx(0.5**0.6)
    assert torch.allclose(undisplay(display(light)), light, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_sums_of_flat_layers_are_rebuilt(count: int) -> None:
    layers = [image.mean((2, 3), keepdim=True).expand_as(image) for image in _images(count)]
    composition = Sum()
    photo = composition.compose(layers)
    level = exposure(photo)
    rebuilt = composition.compose_drawn([composition.target(layer, level) for layer in layers])
    assert torch.allclose(rebuilt, composition.target(photo, level), atol=1e-5)
    assert torch.allclose(composition.to_linear(rebuilt, level), photo[..., :8, :8], atol=1e-4)


@pytest.mark.parametrize("count", [2, 3])
def test_products_are_rebuilt_up_to_exposure(count: int) -> None:
    layers = _images(count)
    composition = Product()
    photo = composition.compose(layers)
    assert torch.allclose(photo, torch.stack(layers).prod(0))
    level = exposure(photo)
    images = [composition.target(layer, level) for layer in layers]
    off = composition.compose_drawn(images) - composition.target(photo, level)
    assert off.flatten(1).std(1).max() < 1e-4
