"""A month as finance closes it: its figures by the finance rules, what waits, what was waived (U-3, U-10, U-17).

Belongs here: the verdict of a month, its queues and waivers, over the wire. Stays out: how its page looks.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from khaos_swap_assets_tests.acceptance.conftest import settings
from khaos_swap_assets_tests.acceptance.office import Office, grid, office, records
from khaos_swap_assets_tests.acceptance.swap_wire import Json, closed, product
from khaos_swap_assets_tests.stages.storefront.shop import CONNECTED

__all__ = ["office"]
ON_ITS_WAY = {"delivery_status": "In transit", "quality_control_status": "", "delivered_date": "N/A"}
NOT_PAID = {"return_status": "Open", "quality_control_status": "", "rma_processed": "N/A", "date_closed": "N/A"}


def at(year: int, month: int, day: int, hour: int = 12, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def wrote(moment: datetime) -> str:
    """A moment as Swap writes it (swap.md §9.1)."""
    return f"{moment.day} {moment:%b %Y, %H:%M:%S}"


def returned(number: int, sku: str, pounds: float, made: datetime, paid: datetime | None, **changes: Any) -> Json:
    """A return of this day; it was processed and closed when it was paid."""
    shut = wrote(paid) if paid else "N/A"
    dates = {"date_created": wrote(made), "submission_date": wrote(made), "rma_processed": shut, "date_closed": shut}
    return closed(number, product(sku, pounds), **{**dates, "date_updated": wrote(paid or made), **changes})


def reading(office: Office, **changes: Any) -> Office:
    """The office with these settings, in mode audit."""
    office.settings = settings(**{"mode": "audit", "post_from": None, "period_start": date(2025, 4, 1), **changes})
    return office


def table(check: Any, name: str) -> list[dict[str, Any]]:
    return records(check.metadata[name].value)


def waives(office: Office, rma: str, who: str = "Kim Ash") -> str:
    """Waive the exception of this subject; its id."""
    (found,) = [str(one["exception_id"]) for one in office.exceptions() if one["subject"] == rma]
    done = office.says("exceptions", "waive", found, "--by", who, "--reason", "agreed with the customer")
    assert done.exit_code == 0, done.output
    return found


@pytest.mark.parametrize("is_witnessed", [False, True])
def test_u17_books_at_31_january(office: Office, is_witnessed: bool) -> None:
    """A 60.00 received and paid in February, B 36.00 in transit, C 24.00 paid at 23:50, D 48.00 whose refund failed."""
    reading(office, **({"storefront": CONNECTED} if is_witnessed else {}))
    office.books.costs = {"A": "22.00", "B": "14.00", "C": "9.00"}
    made, here = at(2026, 1, 28), {"delivered_date": wrote(at(2026, 1, 30))}
    in_vain = {} if is_witnessed else {"rma_processed": "N/A"}
    office.now = at(2026, 2, 3)
    office.trades(
        returned(1, "A", 60.0, made, at(2026, 2, 2), **here),
        returned(2, "B", 36.0, made, None, **ON_ITS_WAY, return_status="Open"),
        returned(3, "C", 24.0, made, at(2026, 1, 31, 23, 50), **here),
        returned(4, "D", 48.0, made, at(2026, 1, 31), **here, **in_vain),
    )
    for one in office.books.documents.values():
        one.day = "10/01/2026"
    office.notes("CN3", 3, ("C", 1, "24.00"), day="01/02/2026")
    office.notes("CN4", 4, ("D", 1, "48.00"), day="31/01/2026")
    office.shop.pay(1, 6000, at=at(2026, 2, 2))
    office.shop.pay(3, 2400, at=at(2026, 1, 31, 23, 50))
    office.runs()
    check, page = office.month("2026-01")
    told: Json = {name: check.metadata[name].value for name in ("vat_as_posted", "accrual")}
    for shown in (told, page):
        assert dict(grid(shown["vat_as_posted"])) == {
            "posted in Khaos": "£8.00", "reduced by payments": "£4.00", "too much": "£8.00", "too little": "-£4.00",
            "error, both added": "£12.00",
        }  # fmt: skip
        assert {label: cells for label, *cells in grid(shown["accrual"])} == {
            "returns": ["1", "1", "2"], "revenue": ["-£50.00", "-£30.00", "-£80.00"],
            "refund liability": ["£60.00", "£36.00", "£96.00"], "goods at cost": ["£22.00", "£14.00", "£36.00"],
            "of it VAT, waits for payment": ["£10.00", "£6.00", "£16.00"],
        }  # fmt: skip
    assert (check.passed, (check.description or "").startswith("2026-01: apart: 1, £48.00")) == (False, True)


@pytest.mark.parametrize(
    ("day", "told"),
    [
        (11, "; last day for it 2025-06-16"),
        (12, "due soon, last day for it 2025-06-16"),
        (16, "due soon, last day for it 2025-06-16"),
        (17, "its last day was 2025-06-16"),
    ],
)
def test_u3_a_refund_of_3_june_in_london_has_14_days_to_16_june(office: Office, day: int, told: str) -> None:
    """Paid on 2 June at 23:30 UTC, which is 3 June in London (U-18); warned on the 12th, over on the 17th."""
    reading(office).trades(returned(1, "HAT", 30.0, at(2025, 5, 30), at(2025, 6, 2, 23, 30)))
    office.now = at(2025, 6, day)
    office.runs()
    (row,) = table(office.month("2025-06")[0], "worst")
    assert (row["rma"], row["apart"], row["why"], row["owner"]) == ("RMA1", "-£30.00", "no note yet", "finance")
    assert told in row["what"]


@pytest.mark.parametrize(
    ("day", "is_near", "is_green"), [(15, False, True), (16, True, True), (20, True, True), (21, False, False)]
)
def test_u10_goods_of_6_may_are_refunded_by_20_may(office: Office, day: int, is_near: bool, is_green: bool) -> None:
    """Warned at day 10. One parcel came at 23:30 UTC of the 5th, which is the 6th in London; one has not come."""
    office.now = at(2025, 5, day)
    reading(office).trades(
        returned(1, "HAT", 30.0, at(2025, 4, 30), None, **NOT_PAID, delivered_date=wrote(at(2025, 5, 6))),
        returned(2, "CAP", 20.0, at(2025, 4, 30), None, **NOT_PAID, delivered_date=wrote(at(2025, 5, 5, 23, 30))),
        returned(3, "TEE", 10.0, at(2025, 4, 30), None, **ON_ITS_WAY, return_status="Open"),
    )
    office.runs()
    check = office.verdict("no_customer_waits_too_long")
    (row,) = table(check, "waiting")
    assert (row["returns"], row["to refund"], row["days waited"], row["last day"]) == (
        2, "£50.00", day - 6, "2025-05-20",
    )  # fmt: skip
    assert row["clock"] == ("due soon" if is_near else "in time" if is_green else "over")
    late = [("refund_unconfirmed_too_long", "cx", f"RMA{number}", pence) for number, pence in ((1, 3000), (2, 2000))]
    assert (check.passed, office.open_exceptions()) == (is_green, [] if is_green else late)


def awaited(office: Office, now: datetime) -> Any:
    """June with two refunds of goods on their way: £30.00 of the 17th (to 30 June), £20.00 of the 18th (to 1 July)."""
    office.now = now
    office.settings = settings(post_from=date(2025, 5, 1), period_start=date(2025, 4, 1))
    office.trades(
        returned(1, "HAT", 30.0, at(2025, 6, 10), at(2025, 6, 17), **ON_ITS_WAY),
        returned(2, "CAP", 20.0, at(2025, 6, 10), at(2025, 6, 18), **ON_ITS_WAY),
    )
    office.runs()
    return office.month("2025-06")[0]


@pytest.mark.parametrize(
    ("now", "is_green", "told"),
    [
        (at(2025, 6, 30), True, "carried over: 1, £20.00, to be gone in 2025-07"),
        (at(2025, 7, 1), False, "apart: 1, £30.00; carried over: 1, £20.00, to be gone in 2025-07"),
    ],
)
def test_what_waits_is_carried_to_the_month_of_its_14th_day(
    office: Office, now: datetime, is_green: bool, told: str
) -> None:
    check = awaited(office, now)
    assert (check.passed, told in (check.description or "")) == (is_green, True), check.description


def test_each_row_of_a_red_month_says_whose_turn_it_is_and_what_to_do(office: Office) -> None:
    """Docs, closing a month, 4: each row says whose turn it is and what to do."""
    (row,) = table(awaited(office, at(2025, 7, 1)), "worst")
    assert all(row[name] for name in ("owner", "what", "what_to_do")), row


def test_each_cause_has_its_count_and_pounds(office: Office) -> None:
    reading(office).now = at(2026, 4, 2)
    prices = {1: 11.0, 2: 12.0, 4: 14.0, 6: 16.0, 7: 17.0}
    office.trades(*(closed(number, product(cost=pounds)) for number, pounds in prices.items() if number != 4))
    office.books.sell(3, ("HAT", 1, "13.00"))
    office.swaps.put(closed(3, product("HAT-X", 13.0)), closed(4, product(cost=14.0)))
    office.notes("CN2", 2, ("HAT", 1, "9.50"))
    office.notes("CN6", 6, ("HAT", 1, "16.00"))
    office.runs()
    waives(office, "RMA7")
    office.runs()
    check, _ = office.month("2026-03")
    found = {
        row["cause"]: (row["returns"], row["credited too little"], row["credited too much"])
        for row in table(check, "by_cause")
    }
    assert found == {
        "amounts differ": (1, "£2.50", "£0.00"),
        "no note yet": (1, "£11.00", "£0.00"),
        "blocked by a SKU": (1, "£13.00", "£0.00"),
        "blocked by an order": (1, "£14.00", "£0.00"),
        "waived": (1, "£17.00", "£0.00"),
    }
    owners = {row["why"]: row["owner"] for row in table(check, "worst")}
    assert owners == {
        "amounts differ": "finance", "no note yet": "finance", "blocked by a SKU": "data management",
        "blocked by an order": "cx",
    }  # fmt: skip
    assert (check.description or "").startswith("2026-03: apart: 4, £40.50; waived: 1, £17.00, by Kim Ash")


def test_what_is_credited_in_another_month_is_a_cause_of_the_month(office: Office) -> None:
    """Docs, causes: the Credit Note is of another month than the money. U-1: that is another VAT period here."""
    reading(office).now = at(2026, 4, 2)
    office.trades(closed(5, product(cost=15.0)))
    office.notes("CN5", 5, ("HAT", 1, "15.00"), day="01/04/2026")
    office.runs()
    assert office.open_exceptions() == [("credited_in_another_month", "finance", "RMA5", 1500)]
    rows = table(office.month("2026-03")[0], "by_cause")
    assert [(row["cause"], row["returns"]) for row in rows] == [("credited in another month", 1)]
