"""All that is wrong with a dataset, in one error."""

from __future__ import annotations

from collections.abc import Sequence

from intrinsic_cli.api import DataError, Progress, Silent
from intrinsic_cli.kit.data.missing_files import MissingFilesError

MOST_TOLD = 50  # sentences, unless all are asked for


class BrokenDatasetError(DataError):
    """A dataset that is not whole; ``problems`` are sentences, one a file that is missing or a case
    that is broken."""

    def __init__(self, message: str, hint: str, problems: Sequence[str]) -> None:
        super().__init__(message, hint)
        self.problems = tuple(problems)


def broken_dataset(
    missing: MissingFilesError | None,
    broken: Sequence[DataError] = (),
    read: int = 0,
    every: bool = False,
    progress: Progress = Silent(),  # noqa: B008  Silent is stateless
) -> BrokenDatasetError:
    """The error for files that are ``missing`` and cases, of as many as were ``read``, that are
    ``broken``; there is at least one. ``progress`` hears what its sentence does not name: other
    broken cases, and with ``every`` all missing files."""
    errors = [missing, *broken] if missing else broken
    first = errors[0]
    lacking = [f"{path} is missing" for path in missing.paths] if missing else []
    others = [error.message for error in errors[1:]]
    told = lacking + others if every else others[: MOST_TOLD - 1]
    for sentence in told:
        progress.note(sentence)
    message = first.message
    if others:
        verb = "is" if len(broken) == 1 else "are"
        message += f"; {len(broken)} of {read} cases {verb} broken"
    problems = [*lacking, *(error.message for error in broken)]
    return BrokenDatasetError(message, first.hint, problems)
