"""The separating network at work: photos in, layers out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from torch import Tensor

from iid_latent.shared.consistent import adding_up, coloured
from iid_latent.shared.content import MULTIPLE
from iid_latent.sils.layer_model import LayerModel, layer_model_of
from iid_latent.sils.networks import Separator
from iid_latent.sils.settings import SilsOptions
from intrinsic_cli.api import Decomposer, Frame, Runtime
from intrinsic_cli.kit.light.exposure import exposure
from intrinsic_cli.kit.light.resize import enlarged, resize
from intrinsic_cli.kit.light.scale import reflectance_below_one
from intrinsic_cli.kit.networks.checkpoint import open_nets

if TYPE_CHECKING:
    from intrinsic_cli.api.method import NetState

_WIDTH = 32  # where weights do not tell, which open_nets will say


class SilsDecomposer(Decomposer):
    """See :class:`~intrinsic_cli.api.Decomposer`. The network sees the photo at a short side of
    ``size`` and draws layers at half of that; the house brings them to full size."""

    def __init__(self, separator: Separator, model: LayerModel, options: SilsOptions) -> None:
        self._separator = separator
        self._model, self._options = model, options
        self.frame = Frame(size=options.size, multiple=MULTIPLE, upsample=self._upsample())

    def _upsample(self) -> Literal["divide", "subtract", "resize"]:
        if not self._options.exact:
            return "resize"
        return "subtract" if self._model.adds_up else "divide"

    def __call__(self, photos: Tensor) -> Mapping[str, Tensor]:
        photos = enlarged(photos, self._options.size, MULTIPLE)
        level = exposure(photos)
        composition = self._model.composition
        drawn = self._separate(composition.encoder_input(photos, level))
        images = [composition.to_linear(layer.float(), level) for layer in drawn]
        if self._model.adds_up:
            return dict(zip(self._model.layers, self._summands(photos, images), strict=True))
        albedo, shading = images
        return self._factors(photos, level, albedo, shading)

    def _separate(self, log_photo: Tensor) -> list[Tensor]:
        """Layers as they are drawn."""
        drawn = self._draw(log_photo)
        if not self._options.mirror:
            return drawn
        mirrored = [layer.flip(3) for layer in self._draw(log_photo.flip(3))]
        return [(one + other) / 2 for one, other in zip(drawn, mirrored, strict=True)]

    def _draw(self, log_photo: Tensor) -> list[Tensor]:
        return [self._model.composition.activate(raw) for raw in self._separator(log_photo)]

    def _summands(self, photos: Tensor, images: list[Tensor]) -> list[Tensor]:
        if not self._options.exact:
            return images
        height, width = images[0].shape[-2:]
        return adding_up(resize(photos, (height, width)), images)

    def _factors(
        self, photos: Tensor, level: Tensor, albedo: Tensor, shading: Tensor
    ) -> Mapping[str, Tensor]:
        """Layers were drawn relative to exposures of their own: the photo's goes to shading."""
        shading = shading * level
        if self._options.exact:
            height, width = albedo.shape[-2:]
            albedo, shading = coloured(resize(photos, (height, width)), albedo, shading)
        albedo, shading = reflectance_below_one(albedo, shading)
        return {"albedo": albedo, "shading": shading}


def decomposer_from(state: NetState, options: SilsOptions, runtime: Runtime) -> SilsDecomposer:
    """The decomposer of a variant. Sizes come from the weights, so that other widths and layers
    load as well."""
    weights = state.get("separator", {})
    with_flare = runtime.variant == "reflection" and "heads.flare.fine.weight" in weights
    model = layer_model_of(runtime.variant, with_flare)
    separator = Separator(model.layers, _width(weights))
    open_nets({"separator": separator}, state, runtime.device)
    return SilsDecomposer(separator, model, options)


def _width(weights: Mapping[str, Tensor]) -> int:
    """Channels of the latent spaces."""
    for name, weight in weights.items():
        if name.endswith(".fine.weight"):
            return int(weight.shape[0])
    return _WIDTH
