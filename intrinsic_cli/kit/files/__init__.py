"""Everything that lies on disk: photos, layers, meshes, sidecars; whole or absent."""
