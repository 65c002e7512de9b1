"""Swap's own count of returns submitted on a day, and the list of that day."""

from __future__ import annotations

from datetime import date
from typing import Any

import httpx
import pytest

from khaos_swap_assets.adapters.swap import client
from khaos_swap_assets_tests.adapters.swap.rows import Swap, page, row, settings

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 4)


def connect(swap: Swap) -> client.SwapClient:
    return client.connect(settings(), transport=httpx.MockTransport(swap), sleep=lambda seconds: None)


def test_a_count_costs_one_row_and_is_swaps_own() -> None:
    swap = Swap(page([row(1)], 1, 7, 7))
    assert connect(swap).count_submitted(FIRST, LAST) == 7
    [question] = swap.questions
    assert question["items_per_page"] == "1"
    assert question["from_return_submission_date"] == "2026-03-01T00:00:00.000Z"
    assert question["to_return_submission_date"] == "2026-03-04T23:59:59.999Z"


@pytest.mark.parametrize("total", [None, "7", True])
def test_a_count_that_swap_does_not_tell_is_none(total: Any) -> None:
    assert connect(Swap(page([row(1)], total_items=total))).count_submitted(FIRST, LAST) is None


def test_the_list_of_a_day_reads_every_page() -> None:
    swap = Swap(page([row(1), row(2)], 1, 2, 3), page([row(3)], 2, 2, 3))
    assert len(connect(swap).submitted_on(FIRST).returns) == 3
    assert swap.questions[0]["to_return_submission_date"] == "2026-03-01T23:59:59.999Z"
