"""How layers blend, and what tasks there are."""

import pytest
import torch

from iid_latent.shared.camera import expose
from iid_latent.sils.blends import Product, Sum, display, undisplay
from iid_latent.sils.collapse import require_apart
from iid_latent.sils.tasks import task_of
from intrinsic_cli.api import TrainingError, UsageError
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
    blend = Sum()
    photo = blend.mix(layers)
    level = exposure(photo)
    rebuilt = blend.rebuild([blend.draw(layer, level) for layer in layers])
    assert torch.allclose(rebuilt, blend.draw(photo, level), atol=1e-5)
    assert torch.allclose(blend.linear(rebuilt, level), photo[..., :8, :8], atol=1e-4)


@pytest.mark.parametrize("count", [2, 3])
def test_products_are_rebuilt_up_to_exposure(count: int) -> None:
    layers = _images(count)
    blend = Product()
    photo = blend.mix(layers)
    assert torch.allclose(photo, torch.stack(layers).prod(0))
    off = blend.rebuild([blend.draw(x, exposure(photo)) for x in layers]) - blend.draw(
        photo, exposure(photo)
    )
    assert off.flatten(1).std(1).max() < 1e-4


def test_drawn_sums_are_never_negative() -> None:
    raw = torch.tensor([-80.0, 0.0, 80.0]).view(1, 3, 1, 1)
    linear = Sum().linear(Sum().paint(raw), torch.full((1, 1, 1, 1), 0.3))
    assert (linear >= 0).all()
    assert torch.isfinite(linear).all()


def test_only_products_forgive_an_exposure() -> None:
    truth = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    mask = torch.ones(1, 1, 16, 16)
    assert Sum().error(truth + 0.2, truth, mask).item() == pytest.approx(0.2, rel=1e-4)
    assert Product().error(truth + 0.2, truth, mask).item() == pytest.approx(0.2 * 0.15, rel=1e-3)
    assert torch.allclose(Product().align(truth + 0.2, truth, mask), truth, atol=1e-6)


def test_mixtures_are_exposed_like_photos() -> None:
    light = _images(1, 32)[0] * 40
    torch.manual_seed(0)
    photo, mask, gain = expose(light, torch.ones(2, 1, 32, 32))
    assert photo.min() >= 0
    assert photo.max() <= 1
    assert 0 < mask.mean() < 1
    known = mask.expand_as(photo) > 0
    assert (photo - light * gain)[known].abs().max() < 0.3
    assert (photo - light * gain)[known].abs().mean() < 0.02


@pytest.mark.parametrize(
    ("variant", "asked", "layers"),
    [
        ("", 0, ("albedo", "shading")),
        ("intrinsic", 2, ("albedo", "shading")),
        ("reflection", 0, ("transmission", "reflection")),
        ("reflection", 3, ("transmission", "reflection", "flare")),
        ("three", 0, ("transmission", "reflection", "flare")),
    ],
)
def test_layers_of_tasks(variant: str, asked: int, layers: tuple[str, ...]) -> None:
    task = task_of(variant, asked)
    assert task.layers == layers
    assert task.adds_up == (variant not in ("", "intrinsic"))


@pytest.mark.parametrize(
    ("variant", "asked"), [("", 3), ("intrinsic", 1), ("reflection", 4), ("three", 2)]
)
def test_tasks_that_make_no_sense(variant: str, asked: int) -> None:
    with pytest.raises(UsageError, match="layers") as caught:
        task_of(variant, asked)
    assert "layers=" in caught.value.hint


def test_collapse_is_told_from_plain_scenes() -> None:
    first, second = (x - 0.5 for x in _images(2))
    photo = first + second
    flat = torch.full_like(photo, 0.3)
    require_apart(photo, {"albedo": (first, first), "shading": (second, second)})
    require_apart(photo, {"albedo": (flat, flat + 0.01)})
    require_apart(photo, {"albedo": (torch.cat([flat[:1], first[1:]]), first)})
    with pytest.raises(TrainingError, match="shading is flat"):
        require_apart(photo, {"albedo": (first, first), "shading": (flat, second)})
    with pytest.raises(TrainingError, match="albedo is a copy of the photo"):
        require_apart(photo, {"albedo": (photo + 0.4, first), "shading": (second, second)})
