"""USI3D: unsupervised separation in the latent space of three domains."""
