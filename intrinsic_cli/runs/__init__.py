"""The verbs, importable from Python: no click, no rich."""
