"""Why a return has no Credit Note of ours yet: every clause that has to hold, and which of them do not.

Belongs here: the clauses in the order in which a return goes through them, each with what was seen. Stays out: the
gates (``documents.credit_notes``), whose reasons are given, and why a note has no return (``linking.reasons``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from khaos_swap_assets.domain.exceptions.catalogue import KINDS
from khaos_swap_assets.domain.judging.facts import ReturnFacts
from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets.domain.money.periods import day_words, london_date
from khaos_swap_assets.domain.records.orders import INVOICE_NOT_KNOWN
from khaos_swap_assets.domain.records.returns import hold_words

CHANGES = {
    "before_post_from": "an earlier KHAOS_SWAP_POST_FROM, or a Credit Note by hand",
    "covered": "none is needed; say that the note is not this return's where it is not",
}
PASSES = "what it waits for comes; then it goes on by itself"
ORDER_KINDS = ("order_not_found", "order_ambiguous", "order_not_invoiced", "customer_unknown")


@dataclass(frozen=True, slots=True)
class Clause:
    """One thing that has to hold, whether it does, what was seen, and the smallest change that would make it hold."""

    name: str
    holds: bool
    seen: str
    change: str = ""


def clauses(facts: ReturnFacts, held: Sequence[tuple[str, str]]) -> tuple[Clause, ...]:
    """The clauses of a return; ``held`` are the reasons (code, text) for which its draft is held."""
    return (*_of_refund(facts), *_of_order(facts), *_of_lines(facts), *_of_gates(held))


def _of_refund(facts: ReturnFacts) -> Iterator[Clause]:
    return_ = facts.return_
    worth = format_money(facts.refund_pence or return_.refund_pence, return_.currency)
    yield Clause("refund known", return_.refund_pence > 0 or facts.refund_pence > 0, worth, "a refund in Swap")
    told = f"paid on {day_words(london_date(facts.refunded_at))}" if facts.refunded_at else "no proof that it was paid"
    change = "Swap shows it as processed, or the storefront shows the money"
    yield Clause("refund proven", facts.is_confirmed and not facts.is_unproven, told, change)
    notes = ", ".join(one.note.credit_note_code for one in facts.notes)
    credited = format_money(facts.credited_pence, return_.currency)
    change = f"the notes come to {format_money(facts.due_pence, return_.currency)} together"
    yield Clause("not yet credited", not notes, f"{notes} of {credited}" if notes else "no Credit Note", change)


def _of_order(facts: ReturnFacts) -> Iterator[Clause]:
    wrong = [kind for kind in facts.order_problems if kind in ORDER_KINDS]
    name = facts.return_.order_name or "none named"
    is_found = not facts.is_order_awaited and not {"order_not_found", "order_ambiguous"} & set(wrong)
    awaited = "Khaos has not answered for it yet" if facts.is_order_awaited else ", ".join(map(hold_words, wrong))
    told = f"order {name}" if is_found else f"order {name}: {awaited}"
    yield Clause("order found", is_found, told, KINDS[wrong[0]].action if wrong else "Khaos answers for the order")
    is_known = INVOICE_NOT_KNOWN not in facts.holds
    absent = "no issued invoice" if is_known else hold_words(INVOICE_NOT_KNOWN)
    invoiced = f"invoiced on {day_words(facts.invoiced_on)}" if facts.invoiced_on else absent
    change = KINDS["order_not_invoiced"].action if is_known else PASSES
    yield Clause("order invoiced", facts.invoiced_on is not None, invoiced, change)


def _of_lines(facts: ReturnFacts) -> Iterator[Clause]:
    missing = [line.sku or "(no SKU)" for line in facts.refund_lines if not line.stock_code]
    is_known = any(line.problem for line in facts.refund_lines)
    said = f"{'no Stock Code equals' if is_known else 'Khaos tells nothing of'} {', '.join(missing)}"
    change = KINDS["sku_unknown"].action if is_known else PASSES
    yield Clause("lines matched", not missing, said if missing else "every line has its Stock Code", change)
    waiting = sum(line.unsettled_quantity for line in facts.refund_lines)
    told = f"{waiting} units are not inspected" if waiting else "nothing waits for the warehouse"
    yield Clause("goods inspected", not waiting, told, "the warehouse reports their condition")


def _of_gates(held: Sequence[tuple[str, str]]) -> Iterator[Clause]:
    for code, text in held:
        change = KINDS[code].action if code in KINDS else CHANGES.get(code, PASSES)
        yield Clause("nothing else holds it", holds=False, seen=f"{hold_words(code)}: {text}", change=change)
