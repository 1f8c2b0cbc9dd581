"""The losses of USI3D (Liu et al., "Unsupervised Learning for Intrinsic Image Decomposition from a
Single Image", CVPR 2020), as its published code draws them up, with that code's faults mended.

Every term is a mean absolute difference unless said otherwise. What the faults were, and a switch
for each so that the published numbers can be met in a test, stands in :class:`Faults`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from iid_latent.usi3d.domains import Content, Nets, decode_all, encode_all

#: Weighted sums are made of these groups; each holds named terms.
Terms = dict[str, dict[str, Tensor]]
Judge = Callable[[Tensor], list[Tensor]]


@dataclass(frozen=True, slots=True)
class Faults:
    """What the published code does otherwise. All False: as the paper means it.

    ``swapped_decoders``: albedos are rebuilt by the decoder of shadings and the other way round.
    ``own_priors``: pictures drawn from a random prior are asked for the photo's prior instead of
    the drawn one. ``unclamped``: the physical term multiplies raw outputs, so two negative layers
    make a fine photo. ``drawn_physics``: the physical term also holds pictures of random priors to
    the photo. ``hidden_draws``: the discriminators never see pictures of random priors. (Its
    Kullback-Leibler term compares logarithms with logarithms and is 0 or not a number: not kept.)
    """

    swapped_decoders: bool = False
    own_priors: bool = False
    unclamped: bool = False
    drawn_physics: bool = False
    hidden_draws: bool = False


PUBLISHED = Faults(True, True, True, True, True)
MENDED = Faults()


@dataclass(frozen=True, slots=True)
class Codes:
    """Contents and priors of one unpaired triple (photo i, albedo r, shading s), and the photo's
    separated priors."""

    c_i: Content
    c_r: Content
    c_s: Content
    z_i: Tensor
    z_r: Tensor
    z_s: Tensor
    z_ri: Tensor
    z_si: Tensor
    z_merged: Tensor


def encode(nets: Nets, x_i: Tensor, x_r: Tensor, x_s: Tensor) -> Codes:
    """All three domains encoded."""
    (c_i, z_i), (c_r, z_r), (c_s, z_s) = nets.i.encode(x_i), nets.r.encode(x_r), nets.s.encode(x_s)
    z_ri, z_si = nets.separate(z_i)
    return Codes(c_i, c_r, c_s, z_i, z_r, z_s, z_ri, z_si, nets.merge(z_ri, z_si))


def draw(like: Tensor, shift: float) -> tuple[Tensor, Tensor]:
    """Random priors of albedo and shading: normal around ``shift`` and around its negative."""
    return torch.randn_like(like) + shift, torch.randn_like(like) - shift


def translate(nets: Nets, codes: Codes, r: Tensor, s: Tensor) -> dict[str, Tensor]:
    """The pictures of the other domains: ``ri`` and ``si`` are the photo's layers, ``*_rand``
    theirs under random priors, ``rs`` an albedo with a shading's content and ``sr`` the reverse."""
    c = codes
    rs, ri, ri_rand = decode_all(nets.r, (c.c_s, r), (c.c_i, c.z_ri), (c.c_i, r))
    sr, si, si_rand = decode_all(nets.s, (c.c_r, s), (c.c_i, c.z_si), (c.c_i, s))
    return {"rs": rs, "ri": ri, "ri_rand": ri_rand, "sr": sr, "si": si, "si_rand": si_rand}


def consistency(
    nets: Nets,
    pictures: tuple[Tensor, Tensor, Tensor],
    codes: Codes,
    made: Mapping[str, Tensor],
    drawn: tuple[Tensor, Tensor],
    faults: Faults = MENDED,
) -> Terms:
    """Image, prior, content and cycle terms: nothing is lost on the way through another domain."""
    x_i, x_r, x_s = pictures
    small = nets.shrink(x_i), x_r, x_s
    again: dict[str, tuple[Content, Tensor]] = {}
    for domain, letter in ((nets.r, "r"), (nets.s, "s")):
        again |= encode_all(domain, {name: x for name, x in made.items() if name[0] == letter})
    contents = {name: c for name, (c, _) in again.items()}
    return {
        "image": _images(nets, small, codes, faults),
        "prior": _priors(codes, {name: z for name, (_, z) in again.items()}, drawn, faults),
        "content": _contents(codes, contents),
        "cycle": _cycles(nets, small, codes, contents),
    }


def _images(
    nets: Nets, pictures: tuple[Tensor, Tensor, Tensor], c: Codes, faults: Faults
) -> dict[str, Tensor]:
    x_i, x_r, x_s = pictures
    r, s = (nets.s, nets.r) if faults.swapped_decoders else (nets.r, nets.s)
    return {
        "i": F.l1_loss(nets.i.decode(c.c_i, c.z_i), x_i),
        "r": F.l1_loss(r.decode(c.c_r, c.z_r), x_r),
        "s": F.l1_loss(s.decode(c.c_s, c.z_s), x_s),
    }


def _priors(
    c: Codes, again: Mapping[str, Tensor], drawn: tuple[Tensor, Tensor], faults: Faults
) -> dict[str, Tensor]:
    r, s = drawn
    asked = {
        "rs": r,
        "ri": c.z_ri,
        "ri_rand": c.z_ri if faults.own_priors else r,
        "sr": s,
        "si": c.z_si,
        "si_rand": c.z_si if faults.own_priors else s,
    }
    return {"ii": F.l1_loss(c.z_merged, c.z_i)} | {
        k: F.l1_loss(again[k], z) for k, z in asked.items()
    }


def _contents(c: Codes, again: Mapping[str, Content]) -> dict[str, Tensor]:
    asked = {"rs": c.c_s, "ri": c.c_i, "ri_rand": c.c_i, "sr": c.c_r, "si": c.c_i, "si_rand": c.c_i}
    return {name: _apart(again[name], content) for name, content in asked.items()}


def _apart(a: Content, b: Content) -> Tensor:
    if isinstance(a, Tensor):
        return F.l1_loss(a, b)
    return sum_of([F.l1_loss(x, y) for x, y in zip(a, b, strict=True)]) / len(a)


def _cycles(
    nets: Nets, pictures: tuple[Tensor, Tensor, Tensor], c: Codes, again: Mapping[str, Content]
) -> dict[str, Tensor]:
    x_i, x_r, x_s = pictures
    through = ("ri", "ri_rand", "si", "si_rand")
    rebuilt = decode_all(nets.i, *((again[name], c.z_i) for name in through))
    return {
        "r": F.l1_loss(nets.r.decode(again["sr"], c.z_r), x_r),
        "s": F.l1_loss(nets.s.decode(again["rs"], c.z_s), x_s),
        **{f"i_{name}": F.l1_loss(x, x_i) for name, x in zip(through, rebuilt, strict=True)},
    }


def physical(
    photo: Tensor, made: Mapping[str, Tensor], faults: Faults = MENDED
) -> dict[str, Tensor]:
    """The photo against the product of its layers, all in 0..1."""
    kinds = {"i": ""} | ({"i_rand": "_rand"} if faults.drawn_physics else {})
    terms = {}
    for name, kind in kinds.items():
        r, s = made[f"ri{kind}"], made[f"si{kind}"]
        terms[name] = F.l1_loss(r * s if faults.unclamped else r.clamp(0, 1) * s.clamp(0, 1), photo)
    return terms


def prior_divergence(codes: Codes) -> dict[str, Tensor]:
    """Softmax divergence of the priors separated from the photo from those of exemplars, which stay
    as they are."""
    pairs = {"r": (codes.z_ri, codes.z_r), "s": (codes.z_si, codes.z_s)}
    return {
        name: _divergence(guess.flatten(1), target.flatten(1))
        for name, (guess, target) in pairs.items()
    }


def _divergence(guess: Tensor, target: Tensor) -> Tensor:
    return F.kl_div(F.log_softmax(guess, 1), F.softmax(target.detach(), 1), reduction="batchmean")


def adversarial(judges: Mapping[str, Judge], made: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Least-squares GAN: every scale of a discriminator ('r' or 's') should say 1 of what was
    made."""
    return {
        name: sum_of([(d - 1).square().mean() for d in maps])
        for name, maps in judged(judges, made).items()
    }


def discriminator(
    judges: Mapping[str, Judge],
    real: Mapping[str, Tensor],
    made: Mapping[str, Tensor],
    faults: Faults = MENDED,
) -> dict[str, Tensor]:
    """What the discriminators minimise: 0 for what was made, 1 for exemplars ``real`` of 'r' and
    's'."""
    shown = {
        name: x.detach()
        for name, x in made.items()
        if not (faults.hidden_draws and name.endswith("_rand"))
    }
    truths = adversarial(judges, real)
    fakes = {
        name: sum_of([d.square().mean() for d in maps])
        for name, maps in judged(judges, shown).items()
    }
    return {name: fake + truths[name[0]] for name, fake in fakes.items()}


def judged(judges: Mapping[str, Judge], pictures: Mapping[str, Tensor]) -> dict[str, list[Tensor]]:
    """What the discriminators say of pictures, whose names begin with 'r' or 's': a map for every
    scale."""
    said: dict[str, list[Tensor]] = {}
    for letter in sorted({name[0] for name in pictures}):
        names = [name for name in pictures if name[0] == letter]
        maps = judges[letter](torch.cat([pictures[name] for name in names]))
        parts = zip(*(scale.chunk(len(names)) for scale in maps), strict=True)
        said |= {name: list(part) for name, part in zip(names, parts, strict=True)}
    return said


def sum_of(terms: list[Tensor]) -> Tensor:
    """A list of scalars added up."""
    return torch.stack(terms).sum()
