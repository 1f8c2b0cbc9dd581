"""The order in which a dataset is shown: endless and shuffled to train on, once through to validate
with."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count as counting

import numpy as np

#: Between the seeds of two parts that are drawn side by side: their orders have nothing in common.
SEED_STRIDE = 7919


def shuffled_place(number: int, count: int, *key: int) -> int:
    """Which of ``count`` entries comes as the ``number``-th of an endless stream.

    Every pass over the entries has a fresh order; it depends on the key and the pass alone, so that
    a resumed run sees what an uninterrupted one would."""
    pass_number, place = divmod(number, count)
    order = np.random.default_rng((*key, pass_number)).permutation(count)
    return int(order[place])


def endless_batches(size: int, start: int = 0) -> Iterator[range]:
    """The numbers of the samples of each batch, from the ``start``-th batch on."""
    for batch in counting(start):
        yield range(batch * size, batch * size + size)


def single_pass(count: int, size: int) -> Iterator[range]:
    """The places of the entries of each batch; the last one may be smaller."""
    for first in range(0, count, size):
        yield range(first, min(first + size, count))
