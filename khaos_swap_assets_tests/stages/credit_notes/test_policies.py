"""The policy at work: what it drafts, which version a draft keeps, what a change touches, and what reconciles."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy
from khaos_swap_assets.domain.records.returns import Return
from khaos_swap_assets_tests.domain.test_policy import decided
from khaos_swap_assets_tests.domain.test_settlement import CHARGED, CHOSEN
from khaos_swap_assets_tests.stages.town import Town, a_code, a_line, a_note, a_return, an_order

CREDIT = a_return(1, a_line(outcome="Store Credit"), refund_pence=0, store_credit_pence=1000)
DOWN = a_return(1, a_line(outcome="Exchange"), refund_pence=400, exchange_pence=600)
UP = a_return(1, a_line(outcome="Exchange"), refund_pence=0, exchange_pence=1500, additional_payment_pence=500)
EVEN = a_return(1, a_line(outcome="Exchange"), refund_pence=0, exchange_pence=1000)
CARD = a_return(1, refund_pence=400, store_credit_pence=600)
WITHHELD = a_return(1, refund_pence=705, handling_fee_pence=295)
CODES = ("DELIVERY", "TAX_ON_TOP", "DUTIES", "PART_PAYMENT")


def played(town: Town, *some: Return, policy: CreditNotePolicy = CHOSEN) -> Town:
    """Read, drafted, pulled by Khaos, and witnessed under a policy."""
    town.policy = policy
    town.khaos.items |= {code: a_code(code) for code in CODES}
    town.sells_and_takes_back(*some)
    town.sync()
    town.pull()
    town.sync()
    return town


def reconciled(town: Town) -> list[tuple[Any, ...]]:
    return town.ask("SELECT status, refund_pence, credited_pence, gap_pence FROM recon.reconciliation")


def versions(town: Town) -> list[tuple[Any, ...]]:
    return town.ask(
        "SELECT d.ordinal, d.policy_version, d.draft ->> 'policy_version', p.value_pence FROM recon.drafts d "
        "LEFT JOIN recon.postings p USING (return_id, ordinal) ORDER BY 1"
    )


@pytest.mark.parametrize(
    ("record", "policy", "credited", "gap"),
    [
        (CREDIT, CHOSEN, 1000, 1000),
        (replace(CREDIT, store_credit_pence=1100), CHOSEN, 1000, 1000),
        (DOWN, CHOSEN, 1000, 600),
        (UP, CHOSEN, 1000, 1000),
        (CARD, CHOSEN, 1000, 600),
        (WITHHELD, CHOSEN, 705, 0),
        (WITHHELD, CHARGED, 1000, 295),
    ],
)
def test_a_chosen_outcome_becomes_one_right_note(
    town: Town, record: Return, policy: CreditNotePolicy, credited: int, gap: int
) -> None:
    played(town, record, policy=policy)
    assert reconciled(town) == [("matched", record.refund_pence, credited, gap)]
    assert town.kinds() == {}
    assert versions(town) == [(1, policy.version, policy.version, credited)]
    town.sync(days=20)
    assert (town.pull(), town.kinds()) == ([], {})


def test_an_even_exchange_moves_goods_and_no_money(town: Town) -> None:
    played(town, EVEN)
    assert (town.khaos.notes, town.kinds()) == ({}, {})
    assert reconciled(town) == [("nothing_due", 0, 0, 0)]


@pytest.mark.parametrize("record", [CREDIT, DOWN, UP, EVEN, CARD])
def test_nothing_is_posted_that_finance_has_not_chosen(town: Town, record: Return) -> None:
    played(town, record, policy=CreditNotePolicy())
    assert town.khaos.notes == {}
    assert "outcome_needs_policy" in town.kinds()


def test_delivery_and_tax_are_lines_that_move_no_goods(town: Town) -> None:
    town.khaos.orders = [an_order(1, delivery_gross_pence=395)]
    town.khaos.sell()
    record = a_return(1, refund_pence=1595, taxes_on_top_pence=200)
    town.policy = CHOSEN
    town.khaos.items |= {code: a_code(code) for code in ("HAT", *CODES)}
    town.khaos.levels["HAT"] = 10
    town.swap.put(record)
    town.sync()
    (note,) = town.pull()
    assert (note.gross_pence, dict(note.lines)) == (1595, {"HAT": 1, "TAX_ON_TOP": 1, "DELIVERY": 1})
    town.sync()
    assert reconciled(town) == [("matched", 1595, 1595, 0)]
    assert town.ask("SELECT stock_code FROM recon.stock_moves") == [("HAT",)]
    assert town.kinds() == {}


def test_a_later_part_payment_is_credited_up_to_what_the_order_was_paid(town: Town) -> None:
    town.khaos.sell(an_order(1))
    town.khaos.items |= {code: a_code(code) for code in CODES}
    town.policy = CHOSEN
    town.swap.put(a_return(1, a_line(pence=700)))
    town.sync()
    town.pull()
    town.sync()
    town.edit(a_return(1, a_line(pence=700), refund_pence=1000))
    town.sync()
    (note,) = town.pull()
    assert (note.gross_pence, note.lines) == (300, (("PART_PAYMENT", 1),))
    town.sync()
    assert (reconciled(town), town.kinds()) == ([("matched", 1000, 1000, 0)], {})
    town.edit(a_return(1, a_line(pence=700), refund_pence=1001))
    town.sync()
    assert (town.pull(), town.kinds()) == ([], {"outcome_needs_policy": "RMA1"})


def test_a_decision_closes_the_task_and_drafts_it(town: Town) -> None:
    both = a_return(1, a_line(), a_line("CAP", outcome="Store Credit"), store_credit_pence=1000)
    played(town, both, policy=CreditNotePolicy())
    assert town.kinds() == {"outcome_needs_policy": "RMA1"}
    town.policy = CHOSEN
    town.sync()
    (note,) = town.pull()
    assert (note.associated_ref, note.gross_pence, note.lines) == ("RMA1-2", 1000, (("CAP", 1),))
    town.sync()
    assert (reconciled(town), town.kinds()) == ([("matched", 1000, 2000, 1000)], {})
    assert versions(town) == [
        (1, CreditNotePolicy().version, CreditNotePolicy().version, 1000),
        (2, CHOSEN.version, CHOSEN.version, 1000),
    ]


def test_changing_the_policy_never_changes_what_was_posted(town: Town) -> None:
    played(town, WITHHELD, policy=CHARGED)
    before = town.ask("SELECT draft, policy_version, value_pence FROM recon.drafts")
    documents = town.ask("SELECT document, document_hash, value_pence, state FROM recon.postings")
    town.policy = CHOSEN
    town.edit(replace(WITHHELD, delivery_status="In-Transit"))
    town.sync()
    assert town.ask("SELECT draft, policy_version, value_pence FROM recon.drafts") == before
    assert town.ask("SELECT document, document_hash, value_pence, state FROM recon.postings") == documents
    assert (town.pull(), town.kinds(), reconciled(town)) == ([], {}, [("matched", 705, 1000, 295)])


def test_what_is_not_out_is_drafted_again_by_the_new_policy(town: Town) -> None:
    town.policy = CHARGED
    town.sells_and_takes_back(WITHHELD)
    town.sync()
    assert versions(town) == [(1, CHARGED.version, CHARGED.version, 1000)]
    town.policy = CHOSEN
    town.sync()
    assert versions(town) == [(1, CHOSEN.version, CHOSEN.version, 705)]
    assert [note.gross_pence for note in town.pull()] == [705]


def test_every_version_in_use_is_kept_with_its_content(town: Town) -> None:
    for policy in (CHOSEN, CHARGED, CHOSEN):
        town.policy = policy
        town.sync()
    kept = town.ask("SELECT policy_version, content FROM recon.policies ORDER BY in_force_since DESC")
    assert [version for version, _ in kept] == [CHOSEN.version, CHARGED.version]
    assert CreditNotePolicy(**kept[1][1]) == CHARGED


def test_a_decision_holds_for_refunds_from_its_day_on(town: Town) -> None:
    later = decided(store_credit="mpv_reduce_now", day=date(2026, 3, 10))
    played(town, CREDIT, policy=later)
    assert (town.khaos.notes, list(town.kinds())) == ({}, ["outcome_needs_policy"])
    town.policy = decided(store_credit="mpv_reduce_now", day=date(2026, 3, 9))
    town.sync()
    assert [note.gross_pence for note in town.pull()] == [1000]


def test_a_note_that_staff_made_right_by_the_policy_is_no_gap(town: Town) -> None:
    town.policy = CHOSEN
    town.sells_and_takes_back(CREDIT)
    town.khaos.notes["CN1"] = a_note("CN1", associated_ref="RMA1")
    town.sync()
    town.sync()
    assert (reconciled(town), town.kinds()) == ([("matched", 0, 1000, 1000)], {})
    assert town.ask("SELECT * FROM recon.postings") == []


def test_a_note_without_reference_is_found_by_what_it_should_be_worth(town: Town) -> None:
    town.policy = CHOSEN
    town.sells_and_takes_back(CARD)
    town.khaos.notes["CN1"] = a_note("CN1")
    town.sync()
    town.sync()
    assert town.one("SELECT matched_by FROM recon.reconciliation") == "customer_codes_value_date"
    assert (reconciled(town), town.kinds()) == ([("matched", 400, 1000, 600)], {})


def test_a_note_at_another_value_than_due_is_a_gap_of_the_difference(town: Town) -> None:
    played(town, CREDIT)
    town.khaos.notes["CN1"] = replace(town.khaos.notes["CN1"], gross_pence=900)
    town.sync(days=1)
    ((kind, pence, message),) = town.ask(
        "SELECT kind, money_at_risk_pence, message FROM recon.exceptions WHERE closed_at IS NULL"
    )
    assert (kind, pence) == ("value_gap", 100)
    assert message.startswith("Refund £0.00, credited £9.00 by CN1: goods -£1.00 (note: price of HAT")
    assert message.endswith("tender £10.00 (refund: store credit value)")


def sold_for_1000(town: Town, *some: Return) -> None:
    """Two HATs of order 1 at £10.00 each, and these returns of them."""
    town.khaos.sell(an_order(1, ("HAT", 2)))
    town.swap.put(*(replace(one, order_name="#LX1") for one in some))
    town.sync()


def test_u26_a_refund_above_what_was_paid_for_the_units_is_held(town: Town) -> None:
    sold_for_1000(town, a_return(1, a_line(pence=1001)))
    assert (town.pull(), town.kinds()) == ([], {"over_return": "RMA1"})
    ((reasons,),) = town.ask("SELECT reasons FROM recon.drafts")
    assert reasons == [["over_return", "more of HAT came back, or was refunded, than order SO1 sold"]]


def test_u26_what_earlier_returns_took_counts_and_only_the_later_one_is_held(town: Town) -> None:
    early = a_return(1, a_line(pence=1000))
    late = replace(a_return(2, a_line(pence=1001)), processed_at=town.now, closed_at=town.now)
    sold_for_1000(town, early, late)
    assert [note.associated_ref for note in town.pull()] == ["RMA1"]
    assert town.kinds() == {"over_return": "RMA2"}


def test_u26_rows_that_the_policy_credits_count_too(town: Town) -> None:
    town.policy = CHOSEN
    late = a_return(2, a_line(quantity=2, pence=2000))
    sold_for_1000(town, CREDIT, replace(late, processed_at=town.now, closed_at=town.now))
    assert [note.associated_ref for note in town.pull()] == ["RMA1"]
    assert town.kinds() == {"over_return": "RMA2"}


def test_a_dearer_currency_is_no_refund_above_what_was_paid(town: Town) -> None:
    sold_for_1000(town, a_return(1, a_line(pence=1180, currency="EUR"), currency="EUR"))
    assert town.kinds() == {"currency_mismatch": "RMA1"}
