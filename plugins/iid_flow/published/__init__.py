"""The two published networks behind this plugin, rebuilt key for key so that their checkpoints import.

``albedo16`` is image_to_albedo_shading (2025-08): a flow over 16-channel latents of the albedo. ``shading8`` is its
successor FlowIID (arXiv 2601.12329): a flow over 8-channel latents of a gray shading. Both are written from a
description of their structure; this package is light, its modules import torch.
"""

VARIANTS = ("albedo16", "shading8")
