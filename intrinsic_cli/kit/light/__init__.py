"""Numbers that stand for light: transfer curves, sizes, exposure, and small layers brought to full
size."""
