"""A Khaos that lists no items on its Credit Notes: the contract's own sample (khaos.md §7.4, §7.5).

Belongs here: notes whose items come by their code, and notes whose items never come. Stays out: how it is probed.
"""

from __future__ import annotations

import pytest

from khaos_swap_assets_tests.acceptance.conftest import WHO, Merchant, settings
from khaos_swap_assets_tests.acceptance.swap_wire import closed, product

CLEAN = [closed(number, product(cost=9.0 + number)) for number in (1, 2, 3)]


@pytest.mark.parametrize("reference", ["ours", "order", "blank"])
@pytest.mark.parametrize("items_by", ["export", "none"])
def test_clean_returns_need_no_person(items_by: str, reference: str, merchant: Merchant) -> None:
    merchant.books.items_by, merchant.books.reference = items_by, reference
    merchant.trades(*CLEAN)
    assert sorted(merchant.settles()) == ["RMA1", "RMA2", "RMA3"]
    assert (set(merchant.postings().values()), merchant.open_exceptions()) == ({"confirmed"}, [])


@pytest.mark.parametrize(("items_by", "reference"), [("status", "ours"), ("export", "order"), ("export", "blank")])
def test_documents_that_come_without_their_codes_need_no_person(
    items_by: str, reference: str, merchant: Merchant
) -> None:
    merchant.books.hides_codes = True
    merchant.books.items_by, merchant.books.reference = items_by, reference
    merchant.trades(*CLEAN)
    assert sorted(merchant.settles()) == ["RMA1", "RMA2", "RMA3"]
    assert (set(merchant.postings().values()), merchant.open_exceptions()) == ({"confirmed"}, [])


def test_a_note_is_read_by_its_code_once(merchant: Merchant) -> None:
    merchant.books.items_by, merchant.books.reference = "export", "blank"
    merchant.trades(*CLEAN)
    merchant.settles(5)
    asked = [params["OrderCode"] for name, params in merchant.books.asked if name == "ExportOrders"]
    notes = [code for text in asked for code in text.split(",") if code.startswith("CN")]
    assert sorted(notes) == sorted(set(notes))
    assert len(notes) == len(CLEAN)


@pytest.mark.parametrize("items_by", ["export", "none"])
def test_complete_counts_as_issued_where_no_invoice_says_otherwise(items_by: str, merchant: Merchant) -> None:
    merchant.books.items_by = items_by
    merchant.trades(*CLEAN)
    merchant.settles()
    for one in merchant.books.documents.values():
        one.is_issued = one.is_issued and one.lines[0][2] != 11
    merchant.sync(days=5)
    assert [(kind, owner) for kind, owner, *_ in merchant.open_exceptions()] == [("credit_note_not_issued", "finance")]


def test_two_documents_that_one_note_may_mean_wait_for_a_person_who_confirms_the_list(merchant: Merchant) -> None:
    merchant.books.items_by, merchant.books.reference = "none", "blank"
    merchant.trades(closed(3, product("CAP", 12.0)))
    merchant.settles(1)
    merchant.trades(closed(1), closed(2))
    merchant.books.documents["SO2"].customer = "C1"
    assert sorted(merchant.settles(1)) == ["RMA1", "RMA2"]
    assert merchant.postings() == {"RMA1": "in_doubt", "RMA2": "in_doubt", "RMA3": "confirmed"}
    told = {one[:3] for one in merchant.open_exceptions() if one[0] == "posting_in_doubt"}
    assert told == {("posting_in_doubt", "finance", "RMA1"), ("posting_in_doubt", "finance", "RMA2")}
    shown = merchant.says("postings", "confirm-notes", *WHO, "--yes")
    assert shown.exit_code == 0, shown.output
    assert all(word in shown.output for word in ("RMA1", "RMA2", "CN104", "CN105", "£10.00"))
    assert merchant.settles(1) == []
    assert (set(merchant.postings().values()), merchant.open_exceptions()) == ({"confirmed"}, [])


def test_a_note_of_a_collective_account_is_no_witness(merchant: Merchant) -> None:
    merchant.settings = settings(generic_customers="C9*")
    merchant.books.items_by, merchant.books.reference = "none", "blank"
    merchant.trades(closed(1))
    merchant.sync()
    merchant.imports()
    note = next(one for one in merchant.books.documents.values() if one.is_note)
    note.customer = "C99"
    merchant.sync(minutes=10)
    assert merchant.postings() == {"RMA1": "in_doubt"}


@pytest.mark.parametrize("items_by", ["export", "none"])
def test_beside_a_loose_note_of_staff_nothing_leaves(items_by: str, merchant: Merchant) -> None:
    merchant.books.items_by = items_by
    merchant.books.note("CN1", 1, "10.00")
    merchant.trades(closed(1), closed(2))
    assert "RMA1" not in merchant.settles()
    credited = [one.customer for one in merchant.books.documents.values() if one.is_note]
    assert sorted(credited) in (["C1"], ["C1", "C2"])
