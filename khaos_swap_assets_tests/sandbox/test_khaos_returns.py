from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from khaos_swap_assets.adapters.settings import KhaosSettings
from khaos_swap_assets.domain.documents.draft_lines import DraftLine
from khaos_swap_assets.sandbox import khaos_returns as ledger
from khaos_swap_assets.sandbox.khaos_books import Books
from khaos_swap_assets.sandbox.khaos_wire import KhaosFaultError
from khaos_swap_assets.sandbox.switches import KHAOS_SWITCHES
from khaos_swap_assets.sandbox.world import Note, ReturnDocument
from khaos_swap_assets_tests.adapters.khaos.test_documents import DRAFT
from khaos_swap_assets_tests.adapters.khaos.test_documents import document as made
from khaos_swap_assets_tests.sandbox.small import HAT, JACKET, REF, RMA, URN, document, small_books


def levels(books: Books) -> tuple[int, int]:
    item = books.world.items[JACKET]
    return item.available, item.quarantine


def taken(books: Books, **parts: Any) -> ReturnDocument:
    return ledger.import_document(books, document(**parts))


def only_note(books: Books) -> Note:
    (note,) = books.world.notes.values()
    return note


def test_a_processed_document_is_an_issued_note_and_goods_on_the_shelf() -> None:
    books = small_books()
    kept = taken(books)
    note = only_note(books)
    assert (kept.state, kept.note_code, kept.rma, kept.sum_pence) == ("processed", note.code, RMA, 8499)
    assert (note.associated_ref, note.urn, note.currency) == ("RMA1", URN, "GBP")
    assert [(line.stock_code, line.gross_pence, line.net_pence, line.so_code) for line in note.lines] == [
        (JACKET, 8499, 7083, "SO48213")
    ]
    assert (note.stage_id, note.issued_at, levels(books)) == (70, books.now, (11, 0))
    assert books.world.customers[URN].unallocated_pence == 8499


@pytest.mark.parametrize(("reason", "expected"), [("1", (11, 0)), ("2", (10, 1)), ("3", (10, 0))])
def test_the_reason_decides_where_goods_go(reason: str, expected: tuple[int, int]) -> None:
    books = small_books()
    taken(books, reason=reason)
    assert levels(books) == expected


@pytest.mark.parametrize(
    ("script", "reason", "expected"),
    [("wrong_type_missing", "1", (10, 0)), ("wrong_type_saleable", "2", (11, 0)), ("wrong_type_missing", "2", (10, 1))],
)
def test_a_clerk_picks_the_wrong_type(script: str, reason: str, expected: tuple[int, int]) -> None:
    books = small_books()
    books.world.scripts[RMA] = script
    taken(books, reason=reason)
    assert levels(books) == expected


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"urn": "NOBODY"}, "URN 'NOBODY'"),
        ({"sku": "fell-jkt-mos-m"}, "SKU 'fell-jkt-mos-m'"),
        ({"reason": "9"}, "Return Reason '9'"),
        ({"gross": "84.995"}, "UnitPrice '84.995' is not whole"),
        ({"gross": "much"}, "UnitPrice 'much' is no number"),
        ({"gross": "-1.00"}, "must not be negative"),
        ({"quantity": "0.5"}, "Quantity '0.5' is not whole"),
        ({"reference": ""}, "AssociatedRef is missing"),
    ],
)
def test_a_bad_document_fails_and_changes_nothing(parts: dict[str, str], message: str) -> None:
    books = small_books()
    kept = taken(books, **parts)
    assert kept.state == "failed"
    assert message in kept.message
    assert books.world.notes == {}
    assert levels(books) == (10, 0)


@pytest.mark.parametrize(
    "free", [{"Notes": "R#1"}, {"InvoiceAddress": {"Line1": "Flat #3"}}, {"InvoiceContact": {"Surname": "#"}}]
)
def test_a_hash_in_free_text_stops_an_import(free: dict[str, object]) -> None:
    books = small_books()
    kept = ledger.import_document(books, document() | free)
    assert (kept.state, "holds #" in kept.message) == ("failed", True)


@pytest.mark.parametrize("spelling", KHAOS_SWITCHES["source_pointer"])
def test_khaos_reads_the_order_under_one_spelling_alone(spelling: str) -> None:
    found = {}
    for read in KHAOS_SWITCHES["source_pointer"]:
        books = small_books()
        books.state.switches["source_pointer"] = read
        draft = replace(
            DRAFT, order_ref="KCCLX10482", customer_code=URN, lines=(DraftLine("p", JACKET, 1, 8499, "sellable"),)
        )
        settings = KhaosSettings.model_validate({"source_pointer": spelling})
        ledger.import_document(books, json.loads(made(replace(draft, value_pence=8499), settings=settings)))
        found[read] = only_note(books).lines[0].so_code
    assert found == {read: "SO48213" if read == spelling else "" for read in found}


def test_a_repeated_reference_is_accepted_by_default_and_refused_by_switch() -> None:
    books = small_books()
    taken(books)
    assert taken(books).state == "processed"
    books.state.switches["repeated_reference"] = "refuse"
    assert taken(books).state == "skipped"
    assert len(books.world.notes) == 2


@pytest.mark.parametrize(
    ("mode", "sku", "gross", "expected"),
    [
        ("honour", JACKET, "70.00", (5833, 7000)),
        ("ignore", JACKET, "70.00", (7083, 8500)),
        ("net", JACKET, "84.99", (7083, 8500)),
        ("net", HAT, "9.99", (999, 999)),
        ("ignore", HAT, "9.99", (1000, 1000)),
    ],
)
def test_what_khaos_does_with_our_price(mode: str, sku: str, gross: str, expected: tuple[int, int]) -> None:
    books = small_books()
    books.state.switches["unit_price"] = mode
    taken(books, sku=sku, gross=gross)
    (line,) = only_note(books).lines
    assert (line.net_pence, line.gross_pence) == expected


@pytest.mark.parametrize(("shown", "reference"), [("none", ""), ("order", REF)])
def test_a_note_without_our_reference(shown: str, reference: str) -> None:
    books = small_books()
    books.state.switches["note_reference"] = shown
    taken(books)
    assert only_note(books).associated_ref == reference


def test_goods_move_on_issue_and_once_only() -> None:
    books = small_books()
    books.state.switches |= {"stock_moves": "issue", "notes_issued": "later"}
    kept = taken(books)
    assert (levels(books), only_note(books).issued_at, kept.stock_moved) == ((10, 0), None, False)
    ledger.issue(books, only_note(books), kept)
    assert (levels(books), kept.stock_moved) == ((11, 0), True)


def test_allocation_takes_the_credit_away() -> None:
    books = small_books()
    taken(books)
    ledger.allocate(books, only_note(books))
    assert books.world.customers[URN].unallocated_pence == 0


def test_a_losing_script_waits_for_a_first_note_and_a_lost_document_is_not_lost_twice() -> None:
    books = small_books()
    books.world.scripts[RMA] = "drop_import"
    assert taken(books, reference="A").state == "processed"
    assert taken(books, reference="B", rma="RMA-2").state == "lost"
    assert taken(books, reference="B", rma="RMA-2").state == "processed"
    assert len(books.world.notes) == 2


def refusal(books: Books, code: str, auth: str) -> str:
    with pytest.raises(KhaosFaultError) as caught:
        ledger.process_return(books, code, auth)
    return caught.value.text


def test_process_return_answers_its_five_texts() -> None:
    books = small_books()
    new = taken(books, process=False)
    assert (new.state, books.world.notes) == ("new", {})
    assert ledger.process_return(books, new.return_code, "refund-1") == ledger.PROCESSED
    assert refusal(books, new.return_code, "refund-1") == ledger.ALREADY
    assert refusal(books, "RET99999", "x") == ledger.MISSING
    assert refusal(books, new.return_code, "") == refusal(books, "", "x") == ledger.UNDEFINED
    books.world.scripts["RMA-2"] = "partial_return"
    partial = taken(books, reference="B", rma="RMA-2")
    assert (partial.state, refusal(books, partial.return_code, "x")) == ("partial", ledger.PARTIAL)
    assert partial.refused_at == books.now
    assert len(books.world.notes) == 1


def test_codes_are_never_given_twice() -> None:
    books = small_books()
    taken(books)
    code = only_note(books).code
    books.world.memory.clear()
    assert books.next_code("CN") > code


def test_a_document_of_the_future_is_not_seen() -> None:
    books = small_books()
    taken(books)
    note = only_note(books)
    assert books.by_ref("RMA1") == [note]
    assert books.by_customer(URN)[-1] is note
    note.created_at = books.now + timedelta(hours=1)
    assert books.by_ref("RMA1") == books.by_code(note.code) == []
