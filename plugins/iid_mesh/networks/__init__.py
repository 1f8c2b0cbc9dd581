"""Networks that see a shape, its texture's origin and its camera in a photo: small ones of ours and
the published ones."""
