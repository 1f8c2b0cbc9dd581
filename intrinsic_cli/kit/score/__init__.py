"""Protocols: which photos, masks, scales and metrics make up a published (or our own) table.

Every number ``iid`` prints names its protocol; numbers of different protocols do not belong in one
column. A new protocol is one function ``(case, layers) → figures`` and one entry of
:data:`PROTOCOLS`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from intrinsic_cli.api import Case, UsageError
from intrinsic_cli.api.outputs import FACTORS
from intrinsic_cli.kit.score.arap import arap_1k, arap_f, arap_o
from intrinsic_cli.kit.score.baselines import BASELINES, SPLITS
from intrinsic_cli.kit.score.faces import NormalsPool, birds, faces
from intrinsic_cli.kit.score.judgements import ConstancyPool, SawPool, relit, saw, saw_o, whdr
from intrinsic_cli.kit.score.protocol import Figures, Layers, Pool, Protocol
from intrinsic_cli.kit.score.published import GeometricMean, mit_barron, sintel
from intrinsic_cli.kit.score.reflection import reflection
from intrinsic_cli.kit.score.scale_invariant import exposure, scale_invariant

__all__ = [
    "BASELINES",
    "PROTOCOLS",
    "Figures",
    "Layers",
    "Pool",
    "Protocol",
    "exposure",
    "find_protocol",
    "score",
]


def score(protocol: str, case: Case, layers: Layers) -> Figures:
    """Figures of one decomposed photo.

    ``layers`` [H,W,C] (or [H,W]) linear, by name, at the photo's size; those the protocol cannot
    judge are passed over, and so is a case without a single masked pixel ({}). UsageError for an
    unknown protocol, DataError for a wrong size."""
    if not np.any(case.mask):
        return {}
    rules = find_protocol(protocol)
    return rules.figures(case, rules.known(case, layers))


def find_protocol(name: str) -> Protocol:
    """The protocol called ``name``. UsageError if there is none."""
    if name not in PROTOCOLS:
        raise UsageError(
            f"no protocol called {name!r}", f"protocols: {', '.join(sorted(PROTOCOLS))}"
        )
    return PROTOCOLS[name]


_OWN = "scale-invariant MSE and LMSE of Grosse et al. 2009 (gray, window 20, step 10), mean over images"
_IIW = "Bell et al. 2014: weighted human disagreement, equal within 10 % (whdr) and 20 %"
_SAW = "Kovacs et al. 2017"
_ALL = (*FACTORS, "residual")
_SHADING = ("shading",)
_GLASS = "our own: MSE, PSNR and SSIM in linear light"


def _saw(variant: str, summary: str) -> Protocol:
    figures, pool = partial(saw, variant=variant), partial(SawPool, variant)  # type: ignore[arg-type]  # a literal below
    return Protocol(variant, summary, _SAW, figures, "photo_error", _SHADING, pool)


PROTOCOLS: Mapping[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            "mit",
            "masked, photo exposed to its 99th percentile as 16-bit sRGB",
            _OWN,
            scale_invariant,
        ),
        Protocol(
            "mit-barron",
            "masked, MSE and LMSE with geometric means over images",
            "Barron & Malik's evaluation, Fan et al.'s means",
            mit_barron,
            pool=GeometricMean,
        ),
        Protocol(
            "constancy",
            "one object under several lights, masked",
            "our own: 1 − squared cosine of its albedos, mean over pairs, then objects",
            relit,
            "reconstruction_mse",
            FACTORS,
            ConstancyPool,
        ),
        Protocol("arap-f", "256×256, dark pixels masked", "FlowIID's evaluation of ARAP", arap_f),
        Protocol(
            "arap-o",
            "256×256, dark pixels masked, SSIM of zeroed pixels",
            "the first flow method's",
            arap_o,
        ),
        Protocol(
            "arap-1k",
            "own size, unsaturated shading, without seven scenes",
            "Luo's evaluation of ARAP",
            arap_1k,
        ),
        Protocol(
            "sintel", "no mask, numbers as stored", "Fan et al. 2018 (papers print ×100)", sintel
        ),
        Protocol("whdr", "judgements of lightness, linear albedo", _IIW, whdr, "whdr", ("albedo",)),
        Protocol(
            "whdr-encoded",
            "judgements of lightness, sRGB codes",
            _IIW,
            partial(whdr, encoded=True),
            "whdr",
            ("albedo",),
        ),
        _saw("saw-c", "the challenge: log shading, hard regions weigh more"),
        _saw("saw-u", "as saw-c, every smooth pixel weighs the same"),
        _saw("saw-2017", "the paper's curve: shading itself, gradients max-filtered"),
        Protocol(
            "saw-o",
            "not SAW: classes from the true shading",
            "the first flow method's",
            saw_o,
            "photo_error",
        ),
        Protocol(
            "faces",
            "masked faces",
            "SfSNet and its successors",
            faces,
            "albedo_lmse",
            _ALL,
            NormalsPool,
        ),
        Protocol(
            "reflection",
            "two layers that add up",
            _GLASS,
            reflection,
            "transmission_mse",
            baselines=SPLITS,
        ),
        Protocol(
            "reflection3",
            "three layers that add up",
            _GLASS,
            reflection,
            "transmission_mse",
            baselines=SPLITS,
        ),
        Protocol("birds", "silhouettes in the crop", "UMR: mask IoU", birds, "mask_error"),
        Protocol("synth", "masked, held-out rendered views", _OWN, scale_invariant),
        Protocol("hypersim", "masked, tone-mapped renderings", _OWN, scale_invariant),
        Protocol("cgintrinsics", "masked, tone-mapped renderings", _OWN, scale_invariant),
        Protocol("folder", "masked, your own photos", _OWN, scale_invariant),
    )
}
