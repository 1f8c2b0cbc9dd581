"""The networks of the paper's published code, and its checkpoints."""
