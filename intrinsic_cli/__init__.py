"""Intrinsic images from the command line: albedo, shading and meshes from photos, with methods as
plugins."""

__version__ = "0.1.0"
