"""Residual shading: normals, albedo, harmonic light and what harmonics miss, of faces."""
