"""Rendered heads to train on: crops with new paint, light and camera for every sample."""
