"""The house's own protocol: nothing but scale-invariant errors, so that every dataset and every
tool can be scored."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from intrinsic_cli.api import Case, Metric, Protocol
from intrinsic_cli.api.outputs import FACTORS
from intrinsic_cli.kit import metrics
from intrinsic_cli.kit.light.white import white_gain
from intrinsic_cli.kit.score.baselines import PRODUCTS
from intrinsic_cli.kit.score.columns import LMSE, SI_MSE
from intrinsic_cli.kit.score.highlights import highlight_scores
from intrinsic_cli.kit.score.planes import batch, comparable, factors_in, gray, named, with_mean

if TYPE_CHECKING:
    from collections.abc import Callable

    from intrinsic_cli.api.protocols import Answer, Scores

_LEAST_ANGLE = 1e-3  # degrees: a photo with the colours of its paint would make the ratio infinite
#: Score, the layer whose steps may stray, and the one in which they are then found.
_STRAY = (("shadow_left", "shading", "albedo"), ("paint_left", "albedo", "shading"))
_METRICS = {
    "lmse": LMSE,
    "si_mse": SI_MSE,
    "hue_error": Metric("lower", "°", "median angle between colours of the albedo and the truth"),
    "photo_hue_error": Metric("lower", "°", "the same of the photo, as if it were the albedo"),
    "hue_ratio": Metric("lower", about="the one over the other: what stays of the light's colour"),
    "shadow_left": Metric("lower", about="share of the edges of light that are in the albedo"),
    "paint_left": Metric("lower", about="share of the edges of paint that are in the shading"),
    "highlights_left": Metric("lower", about="share of the highlights that the residual lacks"),
    "highlights_added": Metric(
        "lower", about="residual where nothing shines, as a share of the photo"
    ),
}


def scale_invariant(case: Case, answer: Answer) -> Scores:
    """The development protocol of ``mit``, ``synth`` and ``folder``: no absolute scale counts
    anywhere.

    - Each truth is scaled so that its 99th percentile over masked pixels and channels (jointly) is
      1; so is each prediction, lest LMSE take the windows of a dim one for black.
    - ``albedo_si_mse``, ``shading_si_mse``: masked, one scale over pixels and channels, unclipped.
      Where the true shading is gray, a coloured one is averaged over its channels first; where it
      is coloured, gray is repeated.
    - ``albedo_lmse``, ``shading_lmse``: Grosse's local MSE (window 20, step 10, full windows) of
      the plain channel means; ``lmse`` is half of one plus half of the other.
    - A table shows the arithmetic mean over images (Fan et al. print a geometric mean of their
      si-MSE).

    Settled by reproducing the known constant baselines of ten MIT lab objects to all printed digits
    (LMSE, albedo and shading si-MSE: constant shading .0556 .1046 .0848; constant albedo .0727
    .0854 .0963): photo = ``diffuse``, exposed by its own 99th percentile in the mask, unclipped;
    constant shading means albedo = photo, shading = 1; constant albedo means albedo = 1, shading =
    channel mean of the photo. From the 16-bit photo that methods are fed, which clips the brightest
    hundredth, the same baselines are .0553 .1040 .0848 and .0726 .0854 .0958.

    Where the true shading has colours, :func:`hue_errors` follow."""
    mask = batch(case.mask)
    scores: Scores = {}
    for name in factors_in(answer):
        truth = batch(case.truth[name]) * white_gain(case.truth[name], case.mask)
        guess = batch(answer[name]) * white_gain(answer[name], case.mask)
        guess = comparable(guess, truth)
        scores |= named(
            name,
            si_mse=metrics.si_mse(guess, truth, mask),
            lmse=metrics.lmse(gray(guess), gray(truth), mask),
        )
    return {**with_mean(scores, "lmse"), **hue_errors(case, answer)}


def hue_errors(case: Case, answer: Answer) -> Scores:
    """Under coloured light, the median angle between the colours of the albedo and of the true one
    (``hue_error``), the same of the photo as it is (``photo_hue_error``), and the one over the
    other (``hue_ratio``): below 1 some of the light's colour was taken out of the paint. {} where
    the true shading is gray: then the photo has the colours of its paint."""
    if "albedo" not in answer or case.truth["shading"].shape[-1] == 1:
        return {}
    mask, truth = batch(case.mask), batch(case.truth["albedo"])
    error = metrics.hue_error(batch(answer["albedo"]), truth, mask).item()
    of_photo = metrics.hue_error(batch(case.photo), truth, mask).item()
    if math.isnan(error):
        return {}
    ratio = error / max(of_photo, _LEAST_ANGLE)
    return {"hue_error": error, "photo_hue_error": of_photo, "hue_ratio": ratio}


def rendered(case: Case, answer: Answer) -> Scores:
    """As :func:`scale_invariant`, and of rendered truth, which has every edge in its place:
    ``shadow_left``, the share of hard steps of true light that is found in the albedo where the
    true paint is flat, and ``paint_left``, that of steps of paint in the shading where the true
    light is flat (:func:`~intrinsic_cli.kit.metrics.edges.share_of_steps`); and
    :func:`~intrinsic_cli.kit.score.highlights.highlight_scores` where highlights are apart."""
    scores = {**scale_invariant(case, answer), **highlight_scores(case, answer)}
    mask = batch(case.mask)
    for name, wrong, right in _STRAY:
        if right not in answer:
            continue
        gain = white_gain(answer[right], case.mask)
        answered = batch(answer[right]) * gain
        stepped, flat = batch(case.truth[wrong]), batch(case.truth[right])
        share = metrics.share_of_steps(answered, stepped, flat, mask).item()
        if not math.isnan(share):
            scores[name] = share
    return scores


def _protocol(
    name: str, summary: str, score: Callable[[Case, Answer], Scores] = scale_invariant
) -> Protocol:
    return Protocol(
        name=name,
        summary=summary,
        source="scale-invariant MSE and LMSE of Grosse et al. 2009 (gray, window 20, step 10), "
        "mean over images",
        score=score,
        metrics=_METRICS,
        baselines=PRODUCTS,
        shows=FACTORS,
    )


MIT = _protocol("mit", "masked, photo exposed to its 99th percentile as 16-bit sRGB")
SYNTH = _protocol("synth", "masked, held-out rendered views", rendered)
HYPERSIM = _protocol("hypersim", "masked, tone-mapped renderings")
CGINTRINSICS = _protocol("cgintrinsics", "masked, tone-mapped renderings")
FOLDER = _protocol("folder", "masked, your own photos")
