"""How faces are scored."""
