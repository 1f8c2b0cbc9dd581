"""USI3D as published (arXiv 1911.09930, CVPR 2020), rebuilt key for key so that its checkpoints
import.

Written from a description of its structure and checked against its numbers.
"""

from iid_latent.usi3d.original.checkpoint import convert
from iid_latent.usi3d.original.inference import OriginalDecomposer
from iid_latent.usi3d.original.networks import VARIANTS, build, build_for

__all__ = ["VARIANTS", "OriginalDecomposer", "build", "build_for", "convert"]
