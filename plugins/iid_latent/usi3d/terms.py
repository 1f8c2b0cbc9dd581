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
DiscriminatorFn = Callable[[Tensor], list[Tensor]]


@dataclass(frozen=True, slots=True)
class Faults:
    """What the published code does otherwise. All False: as the paper means it.

    ``swapped_decoders``: albedos are rebuilt by the decoder of shadings and the other way round.
    ``own_priors``: layers drawn from a random prior are asked for the photo's prior instead of
    the drawn one. ``unclamped``: the physical term multiplies raw outputs, so two negative layers
    make a fine photo. ``drawn_physics``: the physical term also holds images of random priors to
    the photo. ``hidden_draws``: the discriminators never see images of random priors. (Its
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
    c_i, z_i = nets.i.encode(x_i)
    c_r, z_r = nets.r.encode(x_r)
    c_s, z_s = nets.s.encode(x_s)
    z_ri, z_si = nets.separate(z_i)
    return Codes(
        c_i=c_i,
        c_r=c_r,
        c_s=c_s,
        z_i=z_i,
        z_r=z_r,
        z_s=z_s,
        z_ri=z_ri,
        z_si=z_si,
        z_merged=nets.merge(z_ri, z_si),
    )


def draw(like: Tensor, shift: float) -> tuple[Tensor, Tensor]:
    """Random priors of albedo and shading: normal around ``shift`` and around its negative."""
    return torch.randn_like(like) + shift, torch.randn_like(like) - shift


def translate(nets: Nets, codes: Codes, r: Tensor, s: Tensor) -> dict[str, Tensor]:
    """The images of the other domains; ``r`` and ``s`` are random priors. ``ri`` and ``si`` are
    the photo's layers, ``*_rand`` theirs under random priors, ``rs`` an albedo with a shading's
    content and ``sr`` the reverse."""
    c = codes
    albedos = {
        "rs": (c.c_s, r),
        "ri": (c.c_i, c.z_ri),
        "ri_rand": (c.c_i, r),
    }
    shadings = {
        "sr": (c.c_r, s),
        "si": (c.c_i, c.z_si),
        "si_rand": (c.c_i, s),
    }
    return decode_all(nets.r, albedos) | decode_all(nets.s, shadings)


def consistency(
    nets: Nets,
    images: tuple[Tensor, Tensor, Tensor],
    codes: Codes,
    made: Mapping[str, Tensor],
    drawn: tuple[Tensor, Tensor],
    faults: Faults = MENDED,
) -> Terms:
    """Image, prior, content and cycle terms: nothing is lost on the way through another domain."""
    x_i, x_r, x_s = images
    small = nets.shrink(x_i), x_r, x_s
    albedos = {name: x for name, x in made.items() if name.startswith("r")}
    shadings = {name: x for name, x in made.items() if name.startswith("s")}
    again = encode_all(nets.r, albedos) | encode_all(nets.s, shadings)
    contents = {name: content for name, (content, _) in again.items()}
    priors = {name: prior for name, (_, prior) in again.items()}
    return {
        "image": _images(nets, small, codes, faults),
        "prior": _priors(codes, priors, drawn, faults),
        "content": _contents(codes, contents),
        "cycle": _cycles(nets, small, codes, contents),
    }


def _images(
    nets: Nets, images: tuple[Tensor, Tensor, Tensor], c: Codes, faults: Faults
) -> dict[str, Tensor]:
    x_i, x_r, x_s = images
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
    losses = {"ii": F.l1_loss(c.z_merged, c.z_i)}
    for name, z in asked.items():
        losses[name] = F.l1_loss(again[name], z)
    return losses


def _contents(c: Codes, again: Mapping[str, Content]) -> dict[str, Tensor]:
    asked = {
        "rs": c.c_s,
        "ri": c.c_i,
        "ri_rand": c.c_i,
        "sr": c.c_r,
        "si": c.c_i,
        "si_rand": c.c_i,
    }
    return {name: _apart(again[name], content) for name, content in asked.items()}


def _apart(a: Content, b: Content) -> Tensor:
    if isinstance(a, Tensor):
        return F.l1_loss(a, b)
    distances = [F.l1_loss(x, y) for x, y in zip(a, b, strict=True)]
    return sum_of(distances) / len(a)


def _cycles(
    nets: Nets, images: tuple[Tensor, Tensor, Tensor], c: Codes, again: Mapping[str, Content]
) -> dict[str, Tensor]:
    x_i, x_r, x_s = images
    losses = {
        "r": F.l1_loss(nets.r.decode(again["sr"], c.z_r), x_r),
        "s": F.l1_loss(nets.s.decode(again["rs"], c.z_s), x_s),
    }
    through = ("ri", "ri_rand", "si", "si_rand")
    rebuilt = decode_all(nets.i, {name: (again[name], c.z_i) for name in through})
    for name, x in rebuilt.items():
        losses[f"i_{name}"] = F.l1_loss(x, x_i)
    return losses


def physical(
    photo: Tensor, made: Mapping[str, Tensor], faults: Faults = MENDED
) -> dict[str, Tensor]:
    """The photo against the product of its layers, all in 0..1."""
    losses = {"i": _product_error(photo, made["ri"], made["si"], faults)}
    if faults.drawn_physics:
        losses["i_rand"] = _product_error(photo, made["ri_rand"], made["si_rand"], faults)
    return losses


def _product_error(photo: Tensor, r: Tensor, s: Tensor, faults: Faults) -> Tensor:
    if not faults.unclamped:
        r, s = r.clamp(0, 1), s.clamp(0, 1)
    return F.l1_loss(r * s, photo)


def prior_divergence(codes: Codes) -> dict[str, Tensor]:
    """Softmax divergence of the priors separated from the photo from those of exemplars, which stay
    as they are."""
    return {"r": _divergence(codes.z_ri, codes.z_r), "s": _divergence(codes.z_si, codes.z_s)}


def _divergence(guess: Tensor, target: Tensor) -> Tensor:
    log_guess = F.log_softmax(guess.flatten(1), 1)
    target = F.softmax(target.flatten(1).detach(), 1)
    return F.kl_div(log_guess, target, reduction="batchmean")


def adversarial(
    discriminators: Mapping[str, DiscriminatorFn], made: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Least-squares GAN: every scale of a discriminator ('r' or 's') should say 1 of what was
    made."""
    scores = discriminate(discriminators, made)
    return {name: _least_squares(maps, 1) for name, maps in scores.items()}


def discriminator(
    discriminators: Mapping[str, DiscriminatorFn],
    real: Mapping[str, Tensor],
    made: Mapping[str, Tensor],
    faults: Faults = MENDED,
) -> dict[str, Tensor]:
    """What the discriminators minimise: 0 for what was made, 1 for exemplars ``real`` of 'r' and
    's'."""
    shown = {}
    for name, x in made.items():
        if not (faults.hidden_draws and name.endswith("_rand")):
            shown[name] = x.detach()
    of_real = adversarial(discriminators, real)
    losses = {}
    for name, maps in discriminate(discriminators, shown).items():
        losses[name] = _least_squares(maps, 0) + of_real[name[0]]
    return losses


def discriminate(
    discriminators: Mapping[str, DiscriminatorFn], images: Mapping[str, Tensor]
) -> dict[str, list[Tensor]]:
    """What the discriminators say of images, whose names begin with 'r' or 's': a map for every
    scale. All of one letter go through in one batch."""
    scores: dict[str, list[Tensor]] = {}
    for letter in sorted({name[0] for name in images}):
        names = [name for name in images if name[0] == letter]
        batch = torch.cat([images[name] for name in names])
        scales = [scale.chunk(len(names)) for scale in discriminators[letter](batch)]
        for i, name in enumerate(names):
            scores[name] = [scale[i] for scale in scales]
    return scores


def _least_squares(maps: list[Tensor], target: float) -> Tensor:
    errors = [(scores - target).square() for scores in maps]
    return sum_of([error.mean() for error in errors])


def sum_of(terms: list[Tensor]) -> Tensor:
    """A list of scalars added up."""
    return torch.stack(terms).sum()
