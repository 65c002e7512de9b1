"""A search that lost a row is no search of the customer whose row it may be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest

from khaos_swap_assets.adapters.khaos.records import OrderStatus, StatusFeed
from khaos_swap_assets.adapters.khaos.wire import KhaosRowFault
from khaos_swap_assets.stages.credit_notes.searching import search


class Khaos:
    """Answers with one order a known customer; asking for a broken one adds a row that could not be read."""

    def __init__(self, broken: Sequence[str] = (), silent: Sequence[str] = ()) -> None:
        self.broken, self.silent = broken, silent
        self.asked: list[list[str]] = []

    def export_order_status(self, *, company_codes: Sequence[str]) -> StatusFeed:
        self.asked.append(list(company_codes))
        orders = [
            OrderStatus(f"SO{code}", code, code, "GBP", date(2026, 6, 1), date(2026, 6, 2), False, 100, 0)
            for code in company_codes
            if code not in self.silent
        ]
        faults = [KhaosRowFault(code, "no currency") for code in company_codes if code in self.broken]
        return StatusFeed(orders, [], faults=faults)


CUSTOMERS = [f"C{number}" for number in range(9)]


def test_an_answer_without_faults_is_one_question() -> None:
    khaos = Khaos()
    assert search(khaos, CUSTOMERS).customers == set(CUSTOMERS)
    assert khaos.asked == [CUSTOMERS]


@pytest.mark.parametrize("broken", [["C0"], ["C8"], ["C3", "C4"], CUSTOMERS])
def test_only_the_customer_of_the_unreadable_row_stays_unsearched(broken: list[str]) -> None:
    found = search(Khaos(broken=broken), CUSTOMERS)
    assert found.customers == set(CUSTOMERS) - set(broken)


def test_one_unreadable_row_costs_few_questions() -> None:
    khaos = Khaos(broken=["C5"])
    search(khaos, CUSTOMERS)
    assert len(khaos.asked) <= 9


def test_silence_about_a_customer_is_no_search() -> None:
    assert search(Khaos(silent=["C2"]), CUSTOMERS).customers == set(CUSTOMERS) - {"C2"}


def test_nobody_to_search_asks_nothing() -> None:
    khaos = Khaos()
    assert search(khaos, []).customers == frozenset()
    assert khaos.asked == []
