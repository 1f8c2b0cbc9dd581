"""A plugin that cannot be imported; the house must live on without it."""

raise RuntimeError("this plugin was made to fail")
