"""Finance rule U-1 in the live product: no document for what nothing shows as paid, and it closes by proof or a person.

Belongs here: Swap's spellings of the field, the setting, notes that stand already. Stays out: the audit of files.
"""

from __future__ import annotations

import json
from typing import Any

from khaos_swap_assets_tests.acceptance.conftest import WHO, Merchant, settings
from khaos_swap_assets_tests.acceptance.swap_wire import ABSENT, closed, product

PAID_WHEN_SAID: tuple[Any, ...] = ("9 Mar 2026, 15:41:29", "2026-03-09T15:41:29Z", "Yes", "True", "Processed", True)
NOT_PAID: tuple[Any, ...] = ("N/A", "", None, "No", "Pending", "Partially", False, ABSENT)


def test_each_spelling_of_proof_and_of_none(merchant: Merchant) -> None:
    said = (*PAID_WHEN_SAID, *NOT_PAID)
    merchant.trades(*(closed(number, rma_processed=value) for number, value in enumerate(said, 1)))
    paid = len(PAID_WHEN_SAID)
    assert sorted(merchant.settles()) == sorted(f"RMA{number}" for number in range(1, paid + 1))
    assert merchant.open_exceptions() == sorted(
        ("closed_without_refund", "cx", f"RMA{number}", 1000) for number in range(paid + 1, len(said) + 1)
    )


def test_it_names_the_field_as_the_version_in_use_does(merchant: Merchant) -> None:
    merchant.trades(closed(1, rma_processed="N/A"), closed(2, rma_processed=ABSENT, processed="Pending"))
    merchant.settles(1)
    rows = json.loads(merchant.says("exceptions", "list", "--json").stdout)
    assert {row["subject"]: row["message"].partition("paid: ")[2] for row in rows} == {
        "RMA1": "rma_processed is empty; processed_by names kim: ask there",
        "RMA2": "processed says 'Pending'; processed_by names kim: ask there",
    }


def test_it_closes_when_the_proof_comes(merchant: Merchant) -> None:
    merchant.trades(closed(1, rma_processed="N/A"))
    assert merchant.settles() == []
    merchant.swaps.put(closed(1, date_updated="10 Mar 2026, 12:30:00", rma_processed="10 Mar 2026, 12:29:00"))
    assert merchant.settles() == ["RMA1"]
    assert (merchant.open_exceptions(), merchant.postings()) == ([], {"RMA1": "confirmed"})


def test_it_closes_by_a_person_and_nothing_is_credited(merchant: Merchant) -> None:
    merchant.trades(closed(1, rma_processed="N/A"))
    merchant.settles(1)
    (row,) = json.loads(merchant.says("exceptions", "list", "--json").stdout)
    assert merchant.says("exceptions", "waive", str(row["exception_id"]), *WHO).exit_code == 0
    assert (merchant.settles(), merchant.open_exceptions(), merchant.postings()) == ([], [], {})


def test_a_word_without_a_day_is_no_proof(merchant: Merchant) -> None:
    merchant.trades(closed(1, rma_processed="Yes", date_closed="N/A"))
    assert merchant.settles() == []
    assert merchant.open_exceptions() == [("closed_without_refund", "cx", "RMA1", 1000)]


def test_what_staff_credited_without_a_payment_is_told_to_finance(merchant: Merchant) -> None:
    merchant.trades(closed(1, rma_processed=""))
    merchant.books.note("CN1", 1, "10.00", reference="RMA1")
    assert merchant.settles() == []
    assert merchant.open_exceptions() == [
        ("closed_without_refund", "cx", "RMA1", 1000),
        ("credited_without_refund", "finance", "RMA1", 1000),
    ]


def test_a_note_of_ours_whose_payment_is_taken_back_is_told_to_finance(merchant: Merchant) -> None:
    merchant.trades(closed(1))
    assert merchant.settles() == ["RMA1"]
    merchant.swaps.put(closed(1, date_updated="10 Mar 2026, 13:00:00", rma_processed="N/A"))
    assert merchant.settles() == []
    assert ("credited_without_refund", "finance", "RMA1", 1000) in merchant.open_exceptions()


def test_the_setting_closed_takes_the_day_of_closing(merchant: Merchant) -> None:
    merchant.settings = settings(refund_proof="closed")
    merchant.trades(closed(1, rma_processed="N/A"), closed(2, rma_processed=ABSENT, date_closed="N/A"))
    assert merchant.settles() == ["RMA1"]


def test_the_list_of_words_is_a_setting(merchant: Merchant) -> None:
    merchant.settings = settings(refund_proof_words="Refunded, Done")
    merchant.trades(closed(1, rma_processed="refunded"), closed(2, rma_processed="Yes"))
    assert merchant.settles() == ["RMA1"]
    assert merchant.open_exceptions() == [("closed_without_refund", "cx", "RMA2", 1000)]


def test_store_credit_that_nothing_shows_as_given_is_told_too(merchant: Merchant) -> None:
    given = {"total_refund_value_customer_currency": 0, "total_store_credit_value_customer_currency": 10.0}
    row = product(return_type="Store Credit")
    merchant.trades(closed(1, row, type=["Store Credit"], type_string="Store Credit", rma_processed="N/A", **given))
    assert (merchant.settles(), merchant.postings()) == ([], {})
    assert ("closed_without_refund", "cx", "RMA1", 1000) in merchant.open_exceptions()
