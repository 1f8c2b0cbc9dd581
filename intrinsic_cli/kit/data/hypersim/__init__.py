"""Hypersim: rendered rooms."""
