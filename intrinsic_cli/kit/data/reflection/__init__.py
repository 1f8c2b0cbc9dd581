"""Photos behind glass, made up of any photos."""
