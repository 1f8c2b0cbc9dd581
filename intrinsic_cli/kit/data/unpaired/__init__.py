"""Photos, albedos and shadings that do not belong together."""
