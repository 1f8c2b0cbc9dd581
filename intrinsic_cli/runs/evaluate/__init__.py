"""``iid evaluate``: methods and layers of other programs against truth."""

from intrinsic_cli.runs.evaluate.run import evaluate

__all__ = ["evaluate"]
