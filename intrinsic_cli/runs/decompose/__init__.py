"""``iid decompose``: photos → outputs on disk."""

from intrinsic_cli.runs.decompose.run import decompose

__all__ = ["decompose"]
