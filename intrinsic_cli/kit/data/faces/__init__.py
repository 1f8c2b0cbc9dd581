"""Faces listed in files: SfSNet's synthetic ones and CelebA."""
