"""Separate in Latent Space (Liu, Lu: "Unsupervised Single Image Layer Separation", AAAI 2020)."""
