"""When a payout is trouble: the kinds that finance owns, each difference in pence.

Belongs here: a difference as an exception of the catalogue. Stays out: what is a difference (``comparing``) and what a
kind means (``exceptions.catalogue``).
"""

from __future__ import annotations

from collections.abc import Mapping

from khaos_swap_assets.domain.exceptions.catalogue import Problem
from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets.domain.money.periods import day_words
from khaos_swap_assets.domain.payouts.comparing import Place, Placed
from khaos_swap_assets.domain.payouts.records import PaidLine, PaidRefund, Payout

TOTAL = "payout_total_differs"
KIND_OF: Mapping[Place, str] = {
    "unknown": "payout_without_refund",
    "missing": "refund_not_in_payout",
    "differs": "payout_amount_differs",
}
KINDS = (*KIND_OF.values(), TOTAL)


def problem_of(one: Placed) -> Problem | None:
    """The exception that a difference is; None where the refund is in its payout to the penny."""
    if one.place == "matched":
        return None
    line, refund = one.line, one.refund
    subject = line.name if line else f"refund {refund.key}" if refund else ""
    told = {"differs": _differs, "unknown": _unknown, "missing": _missing}[one.place](one)
    return Problem(
        KIND_OF[one.place],
        subject,
        told,
        money_at_risk_pence=abs(one.apart_pence),
        currency=line.currency if line else refund.currency if refund else "",
    )


def _differs(one: Placed) -> str:
    line, refund = one.line, one.refund
    assert line
    assert refund
    ours = format_money(refund.pence, refund.currency)
    rate = "; it was paid in another currency, so a rate may be the cause" if refund.is_foreign else ""
    return f"{_in_payout(line)}; the {_refund_words(refund)} is {ours}: {_apart(one, line.currency)}{rate}"


def _unknown(one: Placed) -> str:
    assert one.line
    return f"{_in_payout(one.line)}: {one.why}"


def _missing(one: Placed) -> str:
    refund = one.refund
    assert refund
    paid = f"{format_money(refund.pence, refund.currency)} by {refund.gateway} on {day_words(refund.paid_on)}"
    return f"The {_refund_words(refund)} was {paid}, and no payout that we know holds it"


def _in_payout(line: PaidLine) -> str:
    named = line.line.order_ref or line.line.refund_id or line.line.return_ref
    what = f", {named}" if named else ""
    gross = format_money(line.line.gross_pence, line.currency)
    return f"Payout {line.provider} {line.payout_id} of {day_words(line.paid_on)} holds {gross}{what}"


def _refund_words(refund: PaidRefund) -> str:
    of = refund.rma or (f"order {refund.order_name}" if refund.order_name else "")
    return f"refund {refund.refund_id or refund.key}" + (f" of {of}" if of else "")


def _apart(one: Placed, currency: str) -> str:
    way = "less" if one.apart_pence > 0 else "more"
    return f"{format_money(abs(one.apart_pence), currency)} {way} went out"


def total_problem(payout: Payout, apart_pence: int) -> Problem:
    """The exception of a payout whose total is not the sum of its lines."""
    told = format_money(payout.total_pence or 0, payout.currency)
    lines = format_money((payout.total_pence or 0) - apart_pence, payout.currency)
    return Problem(
        TOTAL,
        f"payout {payout.name}",
        f"Payout {payout.name} of {day_words(payout.paid_on)} came to {told}, and its lines add up to {lines}",
        money_at_risk_pence=abs(apart_pence),
        currency=payout.currency,
    )
