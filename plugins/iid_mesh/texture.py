"""The texture of a shape: the photo's colours where it shows them, those of the mirrored place
where it shows that, and what lies around where it shows neither.

A texture has a margin at its right end that repeats its beginning (:class:`iid_mesh.uv.Chart`), so
that faces on the seam are whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from iid_mesh.light import Light, fit_light
from iid_mesh.render.hard import Visible, visible
from iid_mesh.surface import Surface
from iid_mesh.template import icosphere
from iid_mesh.uv import Chart, chart, with_margin

#: Widths a texture has: a power of two, twice its height.
NARROWEST, WIDEST = 256, 2048
_DEPTH_SIZE = 384  # side of the picture that says what is hidden, pixels
_BEHIND = 0.03  # depth by which a place may lie behind what is seen there, of the object's size
_GRAZING = 0.12  # cosine below which a surface shows nothing useful
_SHARP = 4  # power by which a place that faces the camera outweighs one that hardly does
_MIRRORED = 0.02  # weight of the mirror image, which counts where a place itself is seen badly
_BORDER = 0.012  # share of the picture along the outline whose colours are mixed with others
_INNER_SIZE = 512  # of the silhouette at which that is looked for, pixels
_THIN = 0.1  # share of an object that lies within its outline where it is not thin all over
_WHITE = 0.995  # share of the texture that is no brighter than white
_SAMPLES = 100_000  # numbers looked at to find it


@dataclass(frozen=True, slots=True)
class Atlas:
    """Which place of the template each texel shows: ``face`` [h,w] of ``Template.outward`` (-1:
    none) and its ``barycentric`` coordinates [h,w,3]."""

    chart: Chart
    face: Tensor
    barycentric: Tensor

    def to(self, device: torch.device) -> Atlas:
        """The same on a device."""
        return Atlas(self.chart, self.face.to(device), self.barycentric.to(device))

    def spread(self, faces: Tensor, values: Tensor) -> Tensor:
        """Values of vertices [V,C] at every texel [h,w,C]."""
        corners = values[faces[self.face.clamp_min(0)]]
        return (corners * self.barycentric[..., None]).sum(2)


@dataclass(frozen=True, slots=True)
class Painted:
    """A texture [h,w,3] of reflectance, linear, its margin included, with the chart it is for and
    the light that was divided out."""

    texture: Tensor
    chart: Chart
    light: Light


def width_for(side: float) -> int:
    """The width of a texture that keeps the detail of an object of ``side`` pixels."""
    width = NARROWEST
    while width < 2 * side and width < WIDEST:
        width *= 2
    return width


@cache
def atlas(width: int) -> Atlas:
    """The atlas of the template for textures of this width, on the CPU."""
    layout = chart(icosphere(), width)
    height = width // 2
    # A square in whose upper part the texture lies.
    size = width + layout.margin
    u, v = torch.from_numpy(layout.uv).unbind(1)
    down = (1 - v) * (height / size)
    points = torch.stack([2 * u - 1, 2 * down - 1, torch.ones_like(u)], 1)
    seen = visible(points[None], torch.from_numpy(layout.faces), size)
    face = seen.face[0, :height]
    return Atlas(layout, face, seen.barycentric[0, :height])


def paint(surface: Surface, photo: Tensor, mask: Tensor, width: int) -> Painted:
    """The texture that a photo [3,S,S] linear gives the surface, where its silhouette [S,S] is."""
    seen = surface.visible(_DEPTH_SIZE)
    inner = _inner(mask)
    brush = _Brush(
        surface=surface,
        layout=atlas(width).to(photo.device),
        photo=photo,
        inner=inner,
        seen=seen,
        light=_light_on(surface, photo, inner, seen),
    )
    colour, own = brush.side(mirrored=False)
    image, other = brush.side(mirrored=True)
    other = _MIRRORED * other
    weight = own + other
    total = colour * own + image * other
    known = total / weight.clamp_min(1e-12)
    texture = _filled(*_ring(known, weight, brush.layout.chart.margin))
    return _within_white(texture, brush.layout.chart, brush.light)


def _light_on(surface: Surface, photo: Tensor, mask: Tensor, seen: Visible) -> Light:
    """The light that fits what the photo shows of the surface."""
    size = seen.face.shape[1]
    inner = _resized(mask[None], size)[0]
    known = seen.mask[0] & (inner > 0.5)
    colours = _resized(photo, size).permute(1, 2, 0)
    (normals,) = surface.normals_at(seen)
    return fit_light(colours[known], normals[known])


@dataclass(frozen=True, slots=True)
class _Brush:
    """A photo [3,S,S] before a surface, with the inner part [S,S] of its silhouette, what the
    camera has seen and the light to be divided out."""

    surface: Surface
    layout: Atlas
    photo: Tensor
    inner: Tensor
    seen: Visible
    light: Light

    def side(self, mirrored: bool) -> tuple[Tensor, Tensor]:
        """The reflectance [h,w,3] at texels, or at their mirror images, and how well it is seen
        [h,w,1]."""
        surface = self.surface
        place = self._spread(surface.projected, mirrored)
        normal = F.normalize(self._spread(surface.normals, mirrored), dim=-1)
        shading = self.light.shading(normal)[..., None]
        colour = _at(self.photo, place).movedim(0, 2)
        facing = normal[..., 2:]
        clear = self._is_clear(place)[..., None]
        clear = clear & (facing > _GRAZING)
        weight = facing.clamp_min(0) ** _SHARP
        return colour / shading, weight * clear

    def _spread(self, values: Tensor, mirrored: bool) -> Tensor:
        """Values of vertices [V,C], or those of their mirror images, at texels [h,w,C]."""
        if mirrored:
            image = icosphere().mirror.to(values.device)
            values = values[image]
        return self.layout.spread(self.surface.faces, values)

    def _is_clear(self, place: Tensor) -> Tensor:
        """Does the photo show the object at places [h,w,3], with nothing before them?"""
        (covered,) = _at(self.inner[None], place)
        seen = self.seen
        depth = torch.where(seen.mask, seen.depth, torch.inf)
        (nearest,) = _at(depth, place, "nearest")
        z = self.surface.projected[:, 2]
        slack = _BEHIND * (z.max() - z.min())
        is_behind = place[..., 2] > nearest + slack
        is_place = self.layout.face >= 0
        clear: Tensor = is_place & (covered > 0.5) & ~is_behind
        return clear


def _at(planes: Tensor, place: Tensor, mode: str = "bilinear") -> Tensor:
    """Planes [C,S,S] at places [h,w,2 or more] of the picture → [C,h,w]."""
    grid = place[None, ..., :2]
    found = F.grid_sample(planes[None], grid, mode, "border", align_corners=False)
    return found[0]


def _inner(mask: Tensor) -> Tensor:
    """The silhouette [S,S], at a size at which that is quick, without the pixels along its outline;
    all of what is thin all over."""
    small = _resized(mask[None], min(len(mask), _INNER_SIZE))[0]
    whole = (small > 0.5).float()
    reach = max(1, round(_BORDER * len(small)))
    outside = 1 - whole[None]
    wide = F.max_pool2d(outside, 2 * reach + 1, stride=1, padding=reach)
    inner = 1 - wide[0]
    enough = _THIN * float(whole.sum())
    return inner if float(inner.sum()) > enough else whole


def _ring(colour: Tensor, weight: Tensor, margin: int) -> tuple[Tensor, Tensor]:
    """Texels [h,w+margin,3] and weights [h,w+margin,1] → [3,h,w] and [1,h,w]. The margin shows the
    same places as the first columns, and counts where these have no weight."""
    begin, rest = _parted(colour, margin)
    known, weights = _parted(weight, margin)
    own, other = known
    first = torch.where(own > 0, *begin)
    heavier = torch.maximum(own, other)
    whole = torch.cat([first, rest], 1)
    total = torch.cat([heavier, weights], 1)
    return whole.movedim(2, 0), total.movedim(2, 0)


def _parted(texels: Tensor, margin: int) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """The first columns and the margin; what lies between them."""
    width = texels.shape[1] - margin
    between = texels[:, margin:width]
    return (texels[:, :margin], texels[:, width:]), between


def _filled(texture: Tensor, weight: Tensor) -> Tensor:
    """A texture [3,h,w] whose texels without weight [1,h,w] have the colours around: those of the
    texture at half the size, filled in the same way."""
    known = (weight > 0).to(texture)
    kept = texture * known
    if known.shape[-2] == 1:
        mean = kept.sum((1, 2)) / known.sum().clamp_min(1)
        return torch.where(known > 0, texture, mean[:, None, None])
    share = F.avg_pool2d(known, 2)
    coarse = _filled(F.avg_pool2d(kept, 2) / share.clamp_min(1e-12), share)
    # Beyond one end of u lies the other.
    ringed = F.pad(coarse[None], (1, 1, 0, 0), mode="circular")
    fine = F.interpolate(ringed, scale_factor=2.0, mode="bilinear", align_corners=False)
    around = fine[0, :, :, 2:-2]
    return torch.where(known > 0, texture, around)


def _within_white(texture: Tensor, layout: Chart, light: Light) -> Painted:
    """The texture scaled so that hardly any of it reflects more light than there is, with its
    margin."""
    step = max(1, texture.numel() // _SAMPLES)
    some = texture.flatten()[::step]
    brightest = float(torch.quantile(some, _WHITE))
    gain = max(1.0, brightest)
    dimmed = (texture / gain).clamp(0, 1)
    ringed = with_margin(dimmed, layout.margin)
    texels = ringed.movedim(0, 2).contiguous()
    return Painted(texels, layout, Light(light.direction, gain))


def _resized(planes: Tensor, size: int) -> Tensor:
    """Square planes [C,S,S] at another size."""
    shrinks = size < planes.shape[-1]
    sized = (size, size)
    found = F.interpolate(planes[None], sized, mode="bilinear", antialias=shrinks)
    return found[0]
