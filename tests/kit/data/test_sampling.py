"""The order in which data is shown."""

from __future__ import annotations

from itertools import islice

import pytest

from intrinsic_cli.kit.data.sampling import (
    SEED_STRIDE,
    endless_batches,
    shuffled_place,
    single_pass,
)


def order(pass_number: int, *key: int, count: int = 20) -> list[int]:
    first = pass_number * count
    return [shuffled_place(number, count, *key) for number in range(first, first + count)]


def test_every_pass_shows_everything_once_in_an_order_of_its_own() -> None:
    orders = [order(number, 5) for number in range(4)]
    assert all(sorted(one) == list(range(20)) for one in orders)
    assert len({tuple(one) for one in orders}) == 4
    assert order(2, 5) == orders[2]


@pytest.mark.parametrize("other", [(6,), (5, 3), (5 + SEED_STRIDE,)])
def test_every_part_of_the_key_makes_another_order(other: tuple[int, ...]) -> None:
    assert order(0, 5) != order(0, *other)


def test_batches_have_consecutive_numbers_from_the_start_on() -> None:
    assert [list(batch) for batch in islice(endless_batches(3, 2), 2)] == [[6, 7, 8], [9, 10, 11]]
    assert [list(batch) for batch in single_pass(5, 2)] == [[0, 1], [2, 3], [4]]
    assert not list(single_pass(0, 2))
