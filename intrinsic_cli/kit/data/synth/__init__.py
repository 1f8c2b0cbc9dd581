"""Rendered views in shards, mixed anew for every sample."""
