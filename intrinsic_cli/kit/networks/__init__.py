"""What networks are made of: blocks, a pretrained backbone, losses, weights, devices."""
