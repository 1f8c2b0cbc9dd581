"""The separating network at work: photos in, layers out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from torch import Tensor

from iid_latent.shared.consistent import consistent
from iid_latent.shared.content import MULTIPLE
from iid_latent.sils.networks import Separator
from iid_latent.sils.settings import SilsOptions
from iid_latent.sils.tasks import Task, task_of
from intrinsic_cli.api import Decomposer, Frame, Runtime
from intrinsic_cli.kit.light.exposure import exposure
from intrinsic_cli.kit.light.resize import enlarged, resize
from intrinsic_cli.kit.light.scale import reflectance_below_one
from intrinsic_cli.kit.networks.checkpoint import load_into
from intrinsic_cli.kit.networks.device import place

if TYPE_CHECKING:
    from intrinsic_cli.api.method import NetState

_WIDTH = 32  # where weights do not tell, which load_into will say


class SilsDecomposer(Decomposer):
    """See :class:`~intrinsic_cli.api.Decomposer`. The network sees the photo at a short side of
    ``size`` and draws layers at half of that; the house lifts them to full size."""

    def __init__(
        self, separator: Separator, task: Task, options: SilsOptions, runtime: Runtime
    ) -> None:
        self._separator = place(separator.eval(), runtime.device)
        self._task, self._options = task, options
        exact: Literal["subtract", "divide"] = "subtract" if task.adds_up else "divide"
        self.frame = Frame(
            size=options.size, multiple=MULTIPLE, upsample=exact if options.exact else "resize"
        )

    def __call__(self, photos: Tensor) -> Mapping[str, Tensor]:
        view = enlarged(photos, self._options.size, MULTIPLE)
        level = exposure(view)
        blend, names = self._task.blend, self._task.layers
        images = [blend.linear(picture.float(), level) for picture in self._answer(view, level)]
        return (
            dict(zip(names, images, strict=True))
            if self._task.adds_up
            else self._factors(view, level, *images)
        )

    def _answer(self, view: Tensor, level: Tensor) -> list[Tensor]:
        """Pictures of the layers."""
        picture, blend = self._task.blend.see(view, level), self._task.blend
        pictures = [blend.paint(raw) for raw in self._separator(picture)]
        if self._options.mirror:
            mirrored = [blend.paint(raw).flip(3) for raw in self._separator(picture.flip(3))]
            pictures = [(one + other) / 2 for one, other in zip(pictures, mirrored, strict=True)]
        return pictures

    def _factors(
        self, view: Tensor, level: Tensor, albedo: Tensor, shading: Tensor
    ) -> Mapping[str, Tensor]:
        """Layers were drawn relative to exposures of their own: the photo's goes to shading."""
        shading = shading * level
        if self._options.exact:
            albedo, shading = consistent(
                resize(view, (albedo.shape[-2], albedo.shape[-1])), albedo, shading
            )
        albedo, shading = reflectance_below_one(albedo, shading)
        return {"albedo": albedo, "shading": shading}


def decomposer_from(state: NetState, options: SilsOptions, runtime: Runtime) -> SilsDecomposer:
    """The decomposer of a variant. Sizes come from the weights, so that other widths and layers
    load as well."""
    weights = state.get("separator", {})
    entries = {name: x for name, x in weights.items() if name.endswith(".fine.weight")}
    task = task_of(
        runtime.variant,
        3 if runtime.variant == "reflection" and "heads.flare.fine.weight" in entries else 0,
    )
    width = next((x.shape[0] for x in entries.values()), _WIDTH)
    separator = Separator(task.layers, width)
    load_into(separator, state, "separator")
    return SilsDecomposer(separator, task, options, runtime)
