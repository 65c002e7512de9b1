"""Before parcels land: which open returns will fail, by cause, and how they go on once the code is mended.

Belongs here: ``khaos-swap returns coming`` and ``code_will_fail`` over both wires. Stays out: the desk's page.
"""

from __future__ import annotations

import json

from khaos_swap_assets_tests.acceptance.office import Office, Row, office
from khaos_swap_assets_tests.acceptance.swap_wire import Json, closed, product
from khaos_swap_assets_tests.by_hand import work

__all__ = ["office"]
COMING = {
    "return_status": "Open", "rma_processed": "N/A", "date_closed": "N/A", "delivered_date": "N/A",
    "delivery_status": "In-Transit", "quality_control_status": "Pending",
}  # fmt: skip
LONG = "X" * 51
NEVER = ("HAT#2", " CAP", "TIE ", LONG)


def comes(office: Office, number: int, *products: Json) -> None:
    """An open return of goods that Khaos sold as HATs."""
    office.books.sell(number, ("HAT", 1, "10.00"))
    office.swaps.put(closed(number, *products, **COMING))


def night(office: Office) -> None:
    """A sync, and the nightly look ahead."""
    office.runs()
    work(office, "open_returns")
    office.runs()


def coming(office: Office, *words: str) -> list[Row]:
    done = office.asks("returns", "coming", "--json", *words)
    assert done.exit_code == 0, done.output
    rows: list[Row] = json.loads(done.stdout)
    return rows


def causes(office: Office) -> dict[str, int]:
    """Open returns by the code that will make them fail."""
    return {row["cause"]: row["returns"] for row in coming(office) if row["owner"] == "data management"}


def subjects(office: Office) -> set[str]:
    return {row["subject"] for row in office.exceptions("--kind", "code_will_fail")}


def test_codes_that_never_can_be_stock_codes_are_causes_of_their_own(office: Office) -> None:
    """A code of 50 characters can be one, and ``CAP`` and ``TIE`` are: no space makes them anything else."""
    for code in ("CAP", "TIE", "X" * 50):
        office.books.sell(90, (code, 1, "10.00"))
    office.books.sell(91, ("X" * 50, 1, "10.00"))
    office.swaps.put(closed(91, product("X" * 50), **COMING))
    for number, sku in enumerate((*NEVER, "ZEBRA"), 1):
        comes(office, number, product(sku))
    night(office)
    assert causes(office) == dict.fromkeys((*NEVER, "ZEBRA"), 1)
    told = {row["subject"]: row["message"] for row in office.exceptions("--kind", "code_will_fail")}
    assert len(told) == 5
    never = [message for message in told.values() if "none ever can" in message]
    assert (len(never), any("ZEBRA" in message for message in never)) == (4, False)


def test_one_wrong_code_is_one_exception_however_many_returns_it_holds(office: Office) -> None:
    for number in range(1, 8):
        comes(office, number, product("ZEBRA"))
    comes(office, 8, product("ZEBRA"), product("YAK"))
    comes(office, 9, product("HAT"))
    night(office)
    assert (causes(office), subjects(office)) == ({"ZEBRA": 8, "YAK": 1}, {"ZEBRA", "YAK"})
    children = [row["rma"] for row in coming(office, "--cause", "ZEBRA")]
    assert sorted(children) == [f"RMA{number}" for number in range(1, 9)]
    assert {row["money_at_risk_pence"] for row in office.exceptions("--kind", "code_will_fail")} == {0}


def test_a_mended_code_lets_all_its_returns_go_on_by_themselves(office: Office) -> None:
    for number in (1, 2, 3):
        office.trades(closed(number, product("ZEBRA"), **COMING))
    price = office.books.codes.pop("ZEBRA")
    night(office)
    assert (causes(office), subjects(office)) == ({"ZEBRA": 3}, {"ZEBRA"})
    office.books.codes["ZEBRA"] = price
    office.runs()
    assert (causes(office), subjects(office)) == ({}, set())
    for number in (1, 2, 3):
        office.swaps.put(closed(number, product("ZEBRA"), date_updated="10 Mar 2026, 12:01:00"))
        office.shop.pay(number, 1000, payment=f"T{number}")
    left: list[str] = []
    for _ in range(4):
        office.runs()
        left += office.imports()
    assert left == ["RMA1", "RMA2", "RMA3"]
    assert office.open_exceptions() == []


def test_a_code_that_is_still_wrong_keeps_what_it_holds_and_a_new_return_joins_it(office: Office) -> None:
    comes(office, 1, product("ZEBRA"))
    night(office)
    (first,) = office.exceptions("--kind", "code_will_fail")
    comes(office, 2, product("ZEBRA"))
    night(office)
    (second,) = office.exceptions("--kind", "code_will_fail")
    assert (causes(office), second["exception_id"]) == ({"ZEBRA": 2}, first["exception_id"])
    gone = {**COMING, "return_status": "Cancelled", "date_updated": "10 Mar 2026, 12:06:00"}
    for number in (1, 2):
        office.swaps.put(closed(number, product("ZEBRA"), **gone))
    office.runs()
    assert (causes(office), subjects(office)) == ({}, set())


def test_what_the_shop_lists_is_a_cause_before_anybody_buys_it(office: Office) -> None:
    office.books.sell(1)
    listed = ("HAT", "HAT#2", " HAT", "ZEBRA", LONG)
    office.shop.variants = [
        {
            "id": f"gid://shopify/ProductVariant/{number}",
            "sku": sku,
            "displayName": sku,
            "product": {"status": "ACTIVE"},
        }
        for number, sku in enumerate(listed, 1)
    ]
    night(office)
    assert causes(office) == dict.fromkeys(listed[1:], 0)
    assert subjects(office) == set(listed[1:])
