"""Trying a policy on what already happened: what each return's note would have been worth, beside what it is.

Belongs here: the replay of the last days, in bulk, reading only. Stays out: the comparison (``policy.trial``)
and printing. A tried policy counts as if it had always held; VAT is at the rates of the Sales Order. With a storefront
a refund is its money, on the day it moved (FINANCE_RULES U-1); what does not agree is credited by no policy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from khaos_swap_assets.adapters.khaos.orders import RATES
from khaos_swap_assets.adapters.store import drafts, matches, orders, returns
from khaos_swap_assets.domain.judging.money_conditions import money_holds
from khaos_swap_assets.domain.policy.trial import Rates, Trial, outcome_words, value_of, vat_of
from khaos_swap_assets.stages import isolating
from khaos_swap_assets.stages.credit_notes.settling import (
    policy_of,
    posted_of,
    room_of,
    settlement_of,
    taken_from_orders,
)
from khaos_swap_assets.stages.storefront import money

if TYPE_CHECKING:
    import psycopg

    from khaos_swap_assets.adapters.settings import Settings
    from khaos_swap_assets.adapters.store.matches import MatchedLine
    from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy
    from khaos_swap_assets.domain.policy.settlement import Settlement
    from khaos_swap_assets.domain.policy.settlement_case import Posted
    from khaos_swap_assets.domain.records.orders import SalesOrder
    from khaos_swap_assets.domain.records.returns import Return
    from khaos_swap_assets.domain.refunds.money_shown import Money
    from khaos_swap_assets.stages.credit_notes.settling import Taken

BATCH = 5_000


def try_policy(
    conn: psycopg.Connection,
    settings: Settings,
    present: CreditNotePolicy,
    tried: CreditNotePolicy,
    *,
    days: int,
    now: datetime,
) -> Iterator[Trial]:
    """Every return whose refund, or a later part of it, is of the last ``days``, under both policies.

    The oldest comes first by Swap's date. Writes nothing. A refund that the storefront has not paid is none yet.
    """
    since = now - timedelta(days=days)
    ids = returns.refunded_since(conn, since, also_paid=settings.storefront.is_connected)
    for start in range(0, len(ids), BATCH):
        yield from _try_batch(conn, settings, (present, tried), ids[start : start + BATCH], since)


def _try_batch(
    conn: psycopg.Connection,
    settings: Settings,
    policies: tuple[CreditNotePolicy, CreditNotePolicy],
    ids: Sequence[str],
    since: datetime,
) -> Iterator[Trial]:
    faults = isolating.Faults("trying the policy on")
    witnessed = money.load_each(conn, settings, ids, faults)
    heads, lines = matches.returns(conn, ids), matches.lines(conn, ids)
    so_codes = sorted({head.so_code for head in heads.values() if head.so_code})
    sold, posted = orders.by_code(conn, so_codes), drafts.handed_out(conn, ids)
    present, tried = policies
    taken = taken_from_orders(conn, tried, so_codes) or taken_from_orders(conn, present, so_codes)
    for key, record in returns.load(conn, list(faults.found)).items():
        yield _untried(record, faults.found[key], has_posted=bool(posted.get(key)))
    for key in [one for one in ids if one in witnessed.records]:
        record, head = witnessed.records[key], heads.get(key)
        if not _is_since(record, since):
            continue
        order = sold.get(head.so_code or "") if head else None
        already = posted_of(posted.get(key, ()))
        asked = (record, lines.get(key, []), order, (present, tried), already, taken, witnessed.money.get(key))
        yield from faults.tried(key, _tried, *asked) or [_untried(record, faults.found[key], has_posted=bool(already))]


def _tried(
    record: Return,
    lines: Sequence[MatchedLine],
    order: SalesOrder | None,
    policies: tuple[CreditNotePolicy, CreditNotePolicy],
    already: Sequence[Posted],
    taken: Taken,
    paid: Money | None,
) -> Trial:
    present, tried = policies
    return _as_paid(_trial(record, lines, order, (policy_of(record, present), tried), already, taken), paid)


def _untried(record: Return, fault: str, *, has_posted: bool) -> Trial:
    """A return on which the trial itself failed: told, and worth nothing under either policy."""
    told = f"could not be tried: {fault}"
    return Trial(record.rma, record.return_id, record.currency, record.refund_pence, told, told, 0, 0, 0, has_posted)


def _is_since(record: Return, since: datetime) -> bool:
    """True where the refund, or its last part, is as young as that; without any payment there is none."""
    return record.refunded_at is not None and max(filter(None, (record.processed_at, record.closed_at))) >= since


def _as_paid(trial: Trial, paid: Money | None) -> Trial:
    """The trial with the money that moved; while it does not agree with Swap nothing is credited by any policy."""
    if paid is None:
        return trial
    told = "; ".join(f"{reason.kind.replace('_', ' ')}: {reason.text}" for reason in money_holds(paid))
    if not told:
        return replace(trial, refund_pence=paid.moved_pence)
    return replace(trial, outcome_now=told, outcome_then=told, note_now_pence=0, note_then_pence=0, vat_effect_pence=0)


def _trial(
    record: Return,
    lines: Sequence[MatchedLine],
    order: SalesOrder | None,
    policies: tuple[CreditNotePolicy, CreditNotePolicy],
    already: Sequence[Posted],
    taken: Taken,
) -> Trial:
    now, then = (_settled(record, lines, order, policy, already, taken) for policy in policies)
    rates = _rates(lines, order)
    vat = [vat_of(found, rates, policy) for found, policy in zip((now, then), policies, strict=True)]
    return Trial(
        record.rma,
        record.return_id,
        record.currency,
        record.refund_pence,
        outcome_words(now, record.currency),
        outcome_words(then, record.currency),
        value_of(now),
        value_of(then),
        None if vat[0] is None or vat[1] is None else vat[1] - vat[0],
        bool(already),
    )


def _settled(
    record: Return,
    lines: Sequence[MatchedLine],
    order: SalesOrder | None,
    policy: CreditNotePolicy,
    already: Sequence[Posted],
    taken: Taken,
) -> Settlement:
    """The return settled from its beginning; where only its documents explain it, what is due beside them."""
    whole = settlement_of(record, lines, order, policy, (), room_of(record, order, taken, ()))
    if not (whole.faults and already):
        return whole
    return settlement_of(record, lines, order, policy, already, room_of(record, order, taken, already))


def _rates(lines: Sequence[MatchedLine], order: SalesOrder | None) -> Rates:
    """VAT per cent of each returned row on its Sales Order."""
    codes = {line.line_no: line.vat_code for line in order.lines} if order else {}
    found = {line.product_id: codes.get(line.order_line_no or 0, "") for line in lines}
    return {product_id: RATES[code] * 100 if code in RATES else None for product_id, code in found.items()}
