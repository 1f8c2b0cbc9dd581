"""``iid train``: every stage of a method through the one loop."""

from intrinsic_cli.runs.train.run import train

__all__ = ["train"]
