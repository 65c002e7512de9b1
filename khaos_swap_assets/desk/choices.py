"""What an act on one case may be about: each thing with its pounds, and what speaks for it.

Belongs here: finding these and their words. Stays out: the acts (``desk.case_acts``). None is chosen before a person
does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from khaos_swap_assets.adapters.store import desk_decisions
from khaos_swap_assets.adapters.store.desk_case import CaseRow
from khaos_swap_assets.adapters.store.postings import SqlPostings
from khaos_swap_assets.desk.forms import Choice
from khaos_swap_assets.desk.reach import Conn
from khaos_swap_assets.domain.judging.document_facts import PostingFacts
from khaos_swap_assets.domain.money.amounts import money_words
from khaos_swap_assets.stages.casework.evidence import Evidence

SEPARATOR = "|"
UNSURE = "nobody can tell it from the others"


def pairs(conn: Conn, row: CaseRow, evidence: Evidence) -> Sequence[Choice]:
    """Each Credit Note nearby with each return that it may be of."""
    return [
        Choice(
            f"{one.note.credit_note_code}{SEPARATOR}{key}",
            f"Credit Note {one.note.credit_note_code} of {money_words(one.note.gross_pence, one.note.currency)} "
            f"and return {rma}. Against it: {one.clause or UNSURE}. {_how_often(conn, one.clause or UNSURE)}",
            one.clause or UNSURE,
        )
        for one in evidence.near
        for key, rma in one.returns
    ]


def codes(conn: Conn, row: CaseRow, _: Evidence) -> Sequence[Choice]:
    """The Stock Code that is suggested for a SKU, with its rule."""
    found = desk_decisions.suggestion(conn, row.return_id, row.sku) if row.sku else None
    if found is None:
        return []
    words = f"{row.sku} is {found.stock_code}. For it: the rule {found.rule}, {found.score} of 100"
    return [Choice(found.stock_code, f"{words}. {_how_often(conn, found.rule)}", found.rule)]


def _how_often(conn: Conn, because: str) -> str:
    """How often a suggestion of a rule, or in spite of a clause, was right here."""
    right, decided = desk_decisions.how_often(conn, because)
    return (
        f"People here said yes to {right} of {decided} like it." if decided else "Nobody here decided one like it yet."
    )


def value(_: Conn, row: CaseRow, evidence: Evidence) -> Sequence[Choice]:
    """The return whose refund and credit are apart."""
    facts = evidence.facts
    if facts is None or not facts.gap_pence:
        return []
    refund = money_words(facts.refund_pence, facts.return_.currency)
    credited = money_words(facts.credited_pence, facts.return_.currency)
    return [Choice(row.return_id, f"{row.rma}: {refund} refunded, {credited} credited")]


def credited(conn: Conn, row: CaseRow, evidence: Evidence) -> Sequence[Choice]:
    """The same, where a Credit Note is there."""
    return value(conn, row, evidence) if evidence.facts and evidence.facts.notes else []


def documents(state: str) -> Callable[[Conn, CaseRow, Evidence], Sequence[Choice]]:
    """The documents of the return in a state."""

    def found_of(_: Conn, row: CaseRow, evidence: Evidence) -> Sequence[Choice]:
        facts = evidence.facts
        found = [one for one in facts.postings if one.state == state] if facts else []
        return [Choice(one.reference, _document(one, facts.return_.currency)) for one in found] if facts else []

    return found_of


def released(conn: Conn, row: CaseRow, _: Evidence) -> Sequence[Choice]:
    """The documents of the return that a person released and Khaos has not collected since."""
    found = [one for one in SqlPostings(conn).of_returns([row.return_id]) if one.is_released] if row.return_id else []
    return [Choice(one.reference, f"{one.reference} of {money_words(one.value_pence, one.currency)}") for one in found]


def _document(one: PostingFacts, currency: str) -> str:
    out = f", handed out on {one.handed_out_at:%Y-%m-%d at %H:%M} UTC" if one.handed_out_at else ", not handed out yet"
    return f"{one.reference} of {money_words(one.value_pence, currency)}{out}"
