"""What a document is worth: odd prices one at a time, the share of a component, the delivery in a refund.

Belongs here: prices as Khaos is given them and as it honours them. Stays out: which documents leave for other reasons.
"""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from khaos_swap_assets.stages.credit_notes import stopping
from khaos_swap_assets_tests.acceptance.conftest import WHO, Merchant
from khaos_swap_assets_tests.acceptance.swap_wire import Json, closed, product
from khaos_swap_assets_tests.lending import lend

FEE = 2.95


def less_a_fee(number: int) -> Json:
    """A return of £50.00 of which £2.95 were withheld: no price of the sale gives it."""
    paid = {"total": 47.05, "total_refund_value_customer_currency": 47.05, "handling_fee": FEE}
    return closed(number, product("BELT", 50.0), **paid)


@pytest.mark.parametrize("odd", [(1,), (3,), (6,), (1, 2, 3, 4, 5, 6)])
def test_where_khaos_ignores_prices_one_document_is_wrong_at_most(odd: tuple[int, ...], merchant: Merchant) -> None:
    merchant.books.ignores_prices = True
    merchant.trades(*(less_a_fee(n) if n in odd else closed(n, product("BELT", 50.0)) for n in range(1, 7)))
    merchant.settles(6)
    notes = [one for one in merchant.books.documents.values() if one.is_note]
    over = [one.customer.replace("C", "RMA") for one in notes if int(one.customer[1:]) in odd]
    assert len(over) == 1
    assert ("value_gap", "finance", over[0], 295) in merchant.open_exceptions()
    assert len([one for one in merchant.open_exceptions() if one[0] == "value_gap"]) == 1


def test_an_odd_price_first_stops_all_and_says_what_to_do_and_then_all_is_credited(merchant: Merchant) -> None:
    """A person needs nothing but what each place says: the command that is printed sets everything going."""
    merchant.books.ignores_prices = True
    merchant.trades(*(less_a_fee(n) if n in (1, 4) else closed(n, product("BELT", 50.0)) for n in range(1, 7)))
    assert merchant.settles(6) == ["RMA1"]
    left: list[str] = []
    for odd, waiting in (("RMA1", 5), ("RMA4", 0)):
        (told,) = stops(merchant)
        assert f"{odd} was drafted at £47.05, its Credit Note" in told
        assert "is worth £50.00; no document leaves until a person settles it: correct that note in Khaos" in told
        assert ("value_gap", "finance", odd, 295) in merchant.open_exceptions()
        shown = merchant.says("postings", "list", "--json").stdout
        rows = json.loads(shown[: shown.rindex("]") + 1])
        assert [told in row["waits_for"] for row in rows if row["state"] == "planned"] == [True] * waiting
        with lend(merchant.url) as conn:
            held = stopping.held(conn, settings=merchant.settings, now=merchant.now, period="2026-03")
        assert [told in one.waits_for for one in held] == [True] * waiting
        note = corrects(merchant, odd, "47.05")
        assert merchant.settles(1) == []
        command = told.partition("khaos-swap postings ")[2].partition(" (")[0]
        assert command == f"resolve {odd} --confirmed {note}"
        done = merchant.says("postings", *command.split(), *WHO)
        assert done.exit_code == 0, done.output
        left += merchant.settles(6)
    assert sorted(left) == [f"RMA{n}" for n in range(2, 7)]
    assert (stops(merchant), merchant.open_exceptions()) == ([], [])
    assert set(merchant.postings().values()) == {"confirmed"}


def stops(merchant: Merchant) -> list[str]:
    with lend(merchant.url) as conn:
        return stopping.feed_problems(conn, settings=merchant.settings, now=merchant.now)


def corrects(merchant: Merchant, reference: str, pounds: str) -> str:
    """A person corrects the Credit Note of a document in Khaos; its code."""
    (note,) = [one for one in merchant.books.documents.values() if one.is_note and one.reference == reference]
    note.lines = [(code, units, Decimal(pounds)) for code, units, _ in note.lines]
    return note.code


@pytest.mark.parametrize("odd", [(1,), (1, 2, 3, 4, 5, 6)])
def test_where_khaos_honours_prices_all_leave(odd: tuple[int, ...], merchant: Merchant) -> None:
    merchant.trades(*(less_a_fee(n) if n in odd else closed(n, product("BELT", 50.0)) for n in range(1, 7)))
    assert sorted(merchant.settles(4)) == [f"RMA{n}" for n in range(1, 7)]
    assert (set(merchant.postings().values()), merchant.open_exceptions()) == ({"confirmed"}, [])


def sells_a_pack(merchant: Merchant, number: int, price: str, *back: Json) -> None:
    """A pack of two cups at £10.00 and a pot at £5.00, sold for ``price``; of it these rows come back."""
    merchant.books.packs = {"SET": {"CUP": 2, "POT": 1}}
    merchant.books.codes |= {"CUP": Decimal("10.00"), "POT": Decimal("5.00")}
    merchant.books.levels |= {"CUP": 10, "POT": 10}
    merchant.books.sell(number, ("SET", 1, price))
    merchant.swaps.put(closed(number, *back))


@pytest.mark.parametrize(
    ("price", "sku", "units", "share"),
    [
        ("30.00", "POT", 1, 6.00),
        ("30.00", "CUP", 2, 24.00),
        ("30.00", "CUP", 1, 12.00),
        ("29.99", "POT", 1, 6.00),
        ("29.99", "CUP", 2, 23.99),
    ],
)
def test_a_component_comes_back_at_its_share(
    price: str, sku: str, units: int, share: float, merchant: Merchant
) -> None:
    sells_a_pack(merchant, 1, price, product(sku, share, units))
    merchant.sync()
    (document,) = merchant.collects()
    items = document["ReturnedItems"]
    assert {item["SKU"] for item in items} == {sku}
    assert sum(int(item["Quantity"]) for item in items) == units
    assert sum(item["UnitPrice"]["Gross"] * int(item["Quantity"]) for item in items) == Decimal(str(share))
    assert merchant.open_exceptions() == []


@pytest.mark.parametrize(("price", "sku", "units", "refund"), [("30.00", "POT", 1, 6.01), ("29.99", "CUP", 2, 24.00)])
def test_more_than_its_share_is_too_much(price: str, sku: str, units: int, refund: float, merchant: Merchant) -> None:
    sells_a_pack(merchant, 1, price, product(sku, refund, units))
    merchant.sync()
    assert merchant.collects() == []
    assert [(kind, owner) for kind, owner, *_ in merchant.open_exceptions()] == [("over_return", "finance")]


def test_the_caps_of_a_pack_hold_over_all_its_returns(merchant: Merchant) -> None:
    sells_a_pack(merchant, 1, "30.00", product("POT", 6.0))
    assert merchant.settles() == ["RMA1"]
    merchant.swaps.put(
        closed(1, product("POT", 6.0))
        | {"return_id": "ret_2", "rma_number": "RMA2", "date_updated": "10 Mar 2026, 12:40:00"}
    )
    assert merchant.settles() == []
    assert [(kind, rma.split("/")[0]) for kind, _, rma, _ in merchant.open_exceptions()] == [("over_return", "RMA2")]


def test_a_refund_that_is_off_by_the_delivery_says_so(merchant: Merchant) -> None:
    merchant.books.sell(1, delivery="4.95")
    merchant.swaps.put(closed(1, total=14.95, total_refund_value_customer_currency=14.95))
    merchant.sync()
    assert merchant.collects() == []
    (row,) = json.loads(merchant.says("exceptions", "list", "--json").stdout)
    assert (row["kind"], row["owner"], row["money_at_risk_pence"]) == ("refund_not_explained", "finance", 495)
    assert "£4.95" in row["message"]
    assert "delivery" in row["message"]
    assert "policy" in row["message"]


def test_a_share_that_was_pushed_wins_over_the_components_own_prices(merchant: Merchant) -> None:
    sells_a_pack(merchant, 1, "30.00", product("POT", 15.0))
    merchant.sync()
    assert merchant.collects() == []
    items = [("CUP", 2), ("POT", 1)]
    parts = [{"LinkedStockID": f"id-{code}", "Quantity": units, "ValueProportion": 50.0} for code, units in items]
    pack = {"StockID": "id-SET", "PackType": "Pack", "PackItems": parts}
    merchant.pushes("stock", {"Items": [], "Deleted": [], "Relationships": [pack]})
    merchant.sync(minutes=20)
    assert (merchant.imports(), merchant.open_exceptions()) == (["RMA1"], [])
