"""Networks that take faces apart: SfSNet's and SkipNet's, the heads of the seven variants, and
parts of ours that stand in the same places."""
