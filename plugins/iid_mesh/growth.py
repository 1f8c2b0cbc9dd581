"""The template as stage s1 grows it, and what photos say of where its parts lie."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from iid_mesh.render.hard import Visible
from iid_mesh.template import icosphere

#: The template at first: longer than wide and high.
_EGG = (1.0, 0.5, 0.5)
#: The mean distance of vertices from the middle: about that of birds two units long.
_RADIUS = 0.5
#: How quickly what photos showed of parts is forgotten, a step.
_KEPT = 0.98
#: Pixels of a vertex that have to be seen before they outweigh where parts are first thought to be.
_TRUSTED = 5.0


class Growth(nn.Module):
    """A template that learns, symmetric and always as large, and its parts.

    It begins as an egg. What its parts are called is all that is known of them: the head lies
    ahead (x), then comes the neck, the back lies above (z) and the belly below. This is also what
    gives the template its directions."""

    shape: nn.Parameter
    counts: Tensor

    def __init__(self) -> None:
        super().__init__()
        sphere = icosphere()
        egg = sphere.vertices[: sphere.half_vertices] * torch.tensor(_EGG)
        self.shape = nn.Parameter(egg)
        first = _TRUSTED * named_parts(sphere.vertices)
        self.register_buffer("counts", first)

    def half_shape(self) -> Tensor:
        """The independent and right vertices [337,3], half a unit from the middle on average."""
        distance: Tensor = self.shape.norm(dim=1).mean()
        return self.shape * (_RADIUS / distance)

    def parts(self) -> Tensor:
        """The probabilities of the four parts at each vertex [642,4]."""
        total = self.counts.sum(1, keepdim=True)
        return self.counts / total.clamp_min(1e-6)

    @torch.no_grad()
    def count(self, seen: Visible, maps: Tensor) -> None:
        """Take in what pixels of part maps [B,5,S,S] show at the vertices that are seen there;
        mirrored vertices have equal parts."""
        found = part_counts(seen, maps)
        both = found + found[icosphere().mirror.to(found.device)]
        self.counts.mul_(_KEPT).add_(both * (1 - _KEPT))


def named_parts(vertices: Tensor) -> Tensor:
    """Where head, neck, back and belly are first thought to be on a sphere [V,3]: [V,4]."""
    x, _, z = vertices.unbind(1)
    label = torch.where(z > 0, 2, 3)
    label = torch.where(x > 0.5, 1, label)
    label = torch.where(x > 0.8, 0, label)
    return F.one_hot(label, 4).float()


def part_counts(seen: Visible, maps: Tensor) -> Tensor:
    """How much of each of K parts [B,1+K,S,S], behind the background, pixels show at each vertex:
    [V,K]."""
    template = icosphere()
    faces = template.faces.to(maps.device)
    corners = faces[seen.face.clamp_min(0)]
    shares = seen.barycentric * seen.mask[..., None]
    counts = maps.new_zeros(maps.shape[1] - 1, len(template.vertices))
    for part in range(len(counts)):
        shown = shares * maps[:, part + 1, ..., None]
        counts[part].index_add_(0, corners.flatten(), shown.flatten())
    return counts.T
