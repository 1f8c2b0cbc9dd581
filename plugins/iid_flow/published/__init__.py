"""The two published networks behind this plugin, rebuilt key for key so that their checkpoints
import.

``albedo16`` is image_to_albedo_shading (2025-08): a flow over 16-channel latents of the albedo.
``shading8`` is its successor FlowIID (arXiv 2601.12329): a flow over 8-channel latents of a gray
shading. Both are written from a description of their structure and checked against their numbers.
"""

from iid_flow.published.checkpoint import convert
from iid_flow.published.inference import decomposer
from iid_flow.published.networks import VARIANTS
from iid_flow.published.training import trainer

__all__ = ["VARIANTS", "convert", "decomposer", "trainer"]
