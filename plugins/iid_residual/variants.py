"""The table of variants: what each computes, what it is taught with, what of it learns.

Published losses are means over pixels of the distances named here; the losses of normals, light and
the harmonics' shading (which is ours) stand in all rows because a network that begins from nothing
has to learn them too, and count only where those parts learn. Where the published code has several
settings, the last one with a loss on shading is taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Distance = Literal["l1", "smooth", "square"]
Adversary = Literal["", "joint", "separate", "label"]

#: Parts every variant takes over from SfSNet.
BASE = (
    "conv_model",
    "normal_residual_model",
    "normal_gen_model",
    "albedo_residual_model",
    "albedo_gen_model",
    "light_estimator_model",
)


@dataclass(frozen=True, slots=True)
class Term:
    """One loss: its weight and how far apart two pictures are."""

    weight: float
    distance: Distance = "l1"


@dataclass(frozen=True, slots=True)
class Design:
    """One variant.

    - ``residual``, ``mix``: the names of its heads in published weights; "" = it has none.
    - ``mixes``: what the mix head sees beside the residual head's answer.
    - ``second``: a second set of albedo features that learns; ``albedo_of_second``: is the albedo
      made of it?
    - ``darkens``: what the residual adds to the shading, may it be taken from the albedo?
    - ``harmonic``: has it a light, and shading made of it?
    - ``terms``: losses by what they compare.
    - ``learns``: the parts that learn where the base is given; all do where it is not.
    - ``adversary``: how a discriminator of albedos takes part.
    """

    name: str
    summary: str
    residual: str = ""
    mix: str = ""
    mixes: Literal["shading", "normals"] = "shading"
    second: bool = False
    albedo_of_second: bool = False
    darkens: bool = False
    harmonic: bool = True
    skip: bool = False
    terms: Mapping[str, Term] = field(default_factory=dict)
    learns: tuple[str, ...] = BASE
    adversary: Adversary = ""

    @property
    def adds(self) -> bool:
        """Is its shading the harmonics' plus a residual?"""
        return bool(self.residual) and not self.mix


def _terms(
    albedo: Term, rebuilt: Term, shading: Term | None = None, adversarial: float = 0.0
) -> dict[str, Term]:
    terms = {"normals": Term(1.0), "albedo": albedo, "rebuilt": rebuilt}
    # Squares, which are published, would follow the few lights that hardly reach the face.
    terms["light"] = Term(0.1, "smooth")
    terms["harmonic"] = Term(0.2)
    if shading is not None:
        terms["shading"] = shading
    if adversarial:
        terms["adversarial"] = Term(adversarial, "square")
    return terms


_SFSNET = _terms(Term(0.5), Term(0.5))

DESIGNS: tuple[Design, ...] = (
    Design(
        "residue",
        "a residual is added to the harmonics' shading",
        residual="shading_residual_model",
        second=True,
        albedo_of_second=True,
        terms=_terms(Term(0.5, "smooth"), Term(0.3, "smooth"), Term(0.7, "smooth")),
        learns=("albedo_gen_model", "albedo_residual_model_2", "shading_residual_model"),
    ),
    Design(
        "correcting",
        "a small network corrects the harmonics' shading",
        residual="neural_light_model",
        mix="shading_correctness_model",
        second=True,
        terms=_terms(Term(0.5, "smooth"), Term(0.5, "smooth"), Term(0.5, "smooth")),
        learns=(
            "albedo_gen_model",
            "albedo_residual_model_2",
            "neural_light_model",
            "shading_correctness_model",
        ),
    ),
    Design(
        "latent",
        "shading from normals and latent light, without harmonics",
        residual="neural_light_model",
        mix="shading_model",
        mixes="normals",
        second=True,
        albedo_of_second=True,
        harmonic=False,
        terms=_terms(Term(1.0), Term(0.2), Term(0.8)),
        learns=(
            "albedo_gen_model",
            "albedo_residual_model_2",
            "neural_light_model",
            "shading_model",
        ),
    ),
    Design(
        "albedo-residue",
        "the residual goes over from albedo to shading",
        residual="residual_model",
        darkens=True,
        terms=_terms(Term(0.5, "smooth"), Term(1.0, "smooth"), Term(1.0, "smooth")),
        learns=("residual_model",),
    ),
    Design(
        "gan",
        "a discriminator of albedos, trained jointly",
        residual="shading_residual_model",
        terms=_terms(Term(0.5, "smooth"), Term(0.5, "smooth"), adversarial=1.0),
        learns=("albedo_gen_model", "shading_residual_model"),
        adversary="joint",
    ),
    Design(
        "gan-separate",
        "albedos first, with a discriminator; then the residual alone",
        residual="shading_residual_model",
        second=True,
        albedo_of_second=True,
        terms=_terms(Term(10.0, "smooth"), Term(1.0, "smooth"), adversarial=1.0),
        learns=("albedo_gen_model", "shading_residual_model"),
        adversary="separate",
    ),
    Design(
        "gan-label",
        "as gan-separate; the discriminator tells photos from rendered faces",
        residual="shading_residual_model",
        second=True,
        albedo_of_second=True,
        terms=_terms(Term(10.0, "smooth"), Term(1.0, "smooth"), adversarial=1.0),
        learns=("albedo_gen_model", "shading_residual_model"),
        adversary="label",
    ),
    Design("sfsnet", "SfSNet itself: harmonics and no residual", terms=_SFSNET),
    Design("skipnet", "SkipNet, the teacher of SfSNet's pseudo labels", skip=True, terms=_SFSNET),
)

#: The default one.
DEFAULT = DESIGNS[0]


def design_of(variant: str) -> Design:
    """The design of a variant; "" is the default one. KeyError if there is none."""
    if not variant:
        return DEFAULT
    return {design.name: design for design in DESIGNS}[variant]
