"""Datasets without dense truth: human judgements (IIW, SAW) and one object under many lights."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from intrinsic_cli.api import Case
from intrinsic_cli.kit import metrics
from intrinsic_cli.kit.light.colour import linear_to_srgb
from intrinsic_cli.kit.light.resize import resize
from intrinsic_cli.kit.metrics import Judgements, smoothness
from intrinsic_cli.kit.score.protocol import Figures, Image, Layers, batch, gray

_RECALLS = (0.3, 0.5, 0.7)


def whdr(case: Case, layers: Layers, encoded: bool = False) -> Figures:
    """``whdr`` (δ .10) and ``whdr_20`` of the albedo, linear (or as sRGB codes, if ``encoded``).

    ``case.facts["judgements"]``: ``points`` [N,2,2], ``darker`` [N], ``weights`` [N], see
    :class:`~intrinsic_cli.kit.metrics.Judgements`. Photos without judgements have no figures."""
    told = case.facts["judgements"]
    if "albedo" not in layers or not len(told["darker"]):
        return {}
    judgements = Judgements(
        *(torch.from_numpy(told[name]) for name in ("points", "darker", "weights"))
    )
    albedo = batch(layers["albedo"])[0]
    shares = {"whdr": 0.10, "whdr_20": 0.20}
    return {
        name: metrics.whdr(albedo, judgements, delta, encoded).item()
        for name, delta in shares.items()
    }


def saw(case: Case, layers: Layers, variant: smoothness.Variant = "saw-c") -> Figures:
    """``photo_error`` = 1 − the photo's own average precision, to rank photos by; what SAW prints
    is a matter of all photos together (:class:`SawPool`)."""
    if "shading" not in layers:
        return {}
    area = smoothness.average_precision(*smoothness.curve(saw_counts(case, layers, variant)))
    return {"photo_error": 1 - area.item()}


def saw_counts(case: Case, layers: Layers, variant: smoothness.Variant = "saw-c") -> Tensor:
    """Counts [T,3,2] of the shading, resized to the size of ``case.facts["labels"]`` [H,W]; the
    photo's gradients weigh smooth pixels in ``saw-c``."""
    labels = case.facts["labels"]
    shading = _fit(layers["shading"], labels.shape)
    weights = None
    if variant == "saw-c":
        photo = np.asarray(_encoded(_fit(case.photo, labels.shape)).permute(1, 2, 0), np.float32)
        weights = torch.from_numpy(smoothness.smooth_weights(labels, photo))
    return smoothness.counts(shading, torch.from_numpy(labels), variant, weights)


def saw_o(case: Case, layers: Layers) -> Figures:
    """``ap`` (and 1 − it) of ``saw-o``, which is not SAW: classes come from the true gray shading's
    own percentiles."""
    if "shading" not in layers:
        return {}
    pair = [gray(batch(x))[0, 0] for x in (layers["shading"], case.truth["shading"])]
    precision, recall = smoothness.curve(
        smoothness.counts_saw_o(*pair), balanced=False, undefined=0.0
    )
    area = smoothness.average_precision(precision, recall).item()
    return {"photo_error": 1 - area, "ap": area}


class SawPool:
    """Counts of all photos, and what they come to: ``ap``, and the precision at recalls 30, 50 and
    70 %."""

    def __init__(self, variant: smoothness.Variant = "saw-c") -> None:
        self._variant = variant
        self._counts = torch.zeros(1)

    def add(self, case: Case, layers: Layers, figures: Mapping[str, float]) -> None:
        """Count one photo."""
        if "shading" in layers:
            self._counts = self._counts + saw_counts(case, layers, self._variant)

    def figures(self) -> Figures:
        """Nothing where nothing was counted; ``saw-2017`` is a curve and has no AP."""
        if self._counts.ndim < 3:
            return {}
        precision, recall = smoothness.curve(self._counts)
        points = {
            f"precision_at_recall_{r * 100:.0f}": smoothness.precision_at(precision, recall, r)
            for r in _RECALLS
        }
        area = (
            {}
            if self._variant == "saw-2017"
            else {"ap": smoothness.average_precision(precision, recall)}
        )
        return {name: value.item() for name, value in (area | points).items()}


def relit(case: Case, layers: Layers) -> Figures:
    """``reconstruction_mse`` of albedo · shading: the constancy of an object is a matter of all its
    photos together."""
    if "albedo" not in layers or "shading" not in layers:
        return {}
    product = batch(layers["albedo"]) * batch(layers["shading"])
    return {
        "reconstruction_mse": metrics.reconstruction(
            product, batch(case.photo), batch(case.mask)
        ).item()
    }


class ConstancyPool:
    """Albedo constancy across the lights of each scene (``case.facts["scene"]``), mean over scenes;
    the same of the photos, and the ratio: below 1 the albedos are steadier than what they were made
    from. Cases come scene by scene."""

    def __init__(self) -> None:
        self._scene = ""
        self._seen: list[tuple[Tensor, Tensor, Tensor]] = []
        self._found: list[tuple[float, float]] = []

    def add(self, case: Case, layers: Layers, figures: Mapping[str, float]) -> None:
        """Take in one photo; a new scene closes the one before."""
        if case.facts["scene"] != self._scene:
            self._close()
            self._scene = case.facts["scene"]
        if "albedo" in layers:
            self._seen.append(
                (batch(layers["albedo"])[0], batch(case.photo)[0], batch(case.mask)[0])
            )

    def figures(self) -> Figures:
        """Nothing where no scene was seen under two lights."""
        self._close()
        if not self._found:
            return {}
        albedo, photo = (sum(values) / len(values) for values in zip(*self._found, strict=True))
        return {
            "constancy": albedo,
            "photo_constancy": photo,
            "constancy_ratio": albedo / max(photo, 1e-12),
        }

    def _close(self) -> None:
        if len(self._seen) > 1:
            albedos, photos, masks = (torch.stack(part) for part in zip(*self._seen, strict=True))
            known = masks.amin(0)
            pair = [metrics.albedo_constancy(x, known).item() for x in (albedos, photos)]
            self._found.append((pair[0], pair[1]))
        self._seen = []


def _fit(image: Image, size: tuple[int, ...]) -> Tensor:
    """[H,W,C] → [C,h,w] float64, bilinear."""
    return resize(batch(image), (size[0], size[1]))[0]


def _encoded(image: Tensor) -> Tensor:
    return linear_to_srgb(image.clamp(0, 1))
