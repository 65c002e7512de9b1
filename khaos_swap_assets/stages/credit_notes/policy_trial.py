"""Trying a policy on what already happened: what each return's note would have been worth, beside what it is.

Belongs here: the replay of the last days, in bulk, reading only. Stays out: the comparison (``policy.trial``)
and printing. A tried policy counts as if it had always held; VAT is at the rates of the Sales Order. With a storefront
a refund is its money, on the day it moved (FINANCE_RULES U-1); what does not agree is credited by no policy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from khaos_swap_assets.adapters.khaos.orders import RATES
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import Conn, returns
from khaos_swap_assets.domain.judging.money_conditions import money_holds
from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy
from khaos_swap_assets.domain.policy.settlement import Settlement
from khaos_swap_assets.domain.policy.settlement_case import Posted
from khaos_swap_assets.domain.policy.trial import Rates, Trial, outcome_words, value_of, vat_of
from khaos_swap_assets.domain.records.returns import Return
from khaos_swap_assets.domain.refunds.money_shown import Money
from khaos_swap_assets.stages import isolating
from khaos_swap_assets.stages.dossier import Dossier, policy_of, posted_of
from khaos_swap_assets.stages.storefront import money

BATCH = 5_000


def try_policy(
    conn: Conn,
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
    ids = returns.refunded_since(conn, since, also_paid=bool(settings.connected))
    for start in range(0, len(ids), BATCH):
        yield from _try_batch(conn, settings, (present, tried), ids[start : start + BATCH], since)


def _try_batch(
    conn: Conn,
    settings: Settings,
    policies: tuple[CreditNotePolicy, CreditNotePolicy],
    ids: Sequence[str],
    since: datetime,
) -> Iterator[Trial]:
    faults = isolating.Faults("trying the policy on")
    witnessed, dossier = money.load_each(conn, settings, ids, faults), Dossier(conn, ids)
    trying, posted = _Trying(dossier, *policies), dossier.handed_out
    for key in list(faults.found):
        if key in dossier.records:
            yield _untried(dossier.records[key], faults.found[key], has_posted=bool(posted.get(key)))
    for key in [one for one in ids if one in witnessed.records]:
        record = witnessed.records[key]
        paid_at = max(filter(None, (record.processed_at, record.closed_at)), default=None)
        if record.refunded_at and paid_at and paid_at >= since:
            tried = faults.tried(key, trying.trial, record, witnessed.money.get(key))
            yield from tried or [_untried(record, faults.found[key], has_posted=bool(posted.get(key)))]


def _untried(record: Return, fault: str, *, has_posted: bool) -> Trial:
    """A return on which the trial itself failed: told, and worth nothing under either policy."""
    told = f"could not be tried: {fault}"
    return Trial(
        rma=record.rma,
        return_id=record.return_id,
        currency=record.currency,
        refund_pence=record.refund_pence,
        outcome_now=told,
        outcome_then=told,
        note_now_pence=0,
        note_then_pence=0,
        vat_effect_pence=0,
        is_posted=has_posted,
    )


def _as_paid(trial: Trial, paid: Money | None) -> Trial:
    """The trial with the money that moved; while it does not agree with Swap nothing is credited by any policy."""
    if paid is None:
        return trial
    told = "; ".join(f"{reason.kind.replace('_', ' ')}: {reason.text}" for reason in money_holds(paid))
    if not told:
        return replace(trial, refund_pence=paid.moved_pence)
    return replace(trial, outcome_now=told, outcome_then=told, note_now_pence=0, note_then_pence=0, vat_effect_pence=0)


@dataclass(frozen=True, slots=True)
class _Trying:
    """A batch of returns, the policy of today and the one that is tried on."""

    dossier: Dossier
    present: CreditNotePolicy
    tried: CreditNotePolicy

    def trial(self, record: Return, paid: Money | None) -> Trial:
        """One return under both."""
        already = posted_of(self.dossier.handed_out.get(record.return_id, ()))
        policies = (policy_of(record, self.present), self.tried)
        now, then = (self._settled(record, policy, already) for policy in policies)
        rates = self._rates(record.return_id)
        vat = [vat_of(found, rates, policy) for found, policy in zip((now, then), policies, strict=True)]
        found = Trial(
            rma=record.rma,
            return_id=record.return_id,
            currency=record.currency,
            refund_pence=record.refund_pence,
            outcome_now=outcome_words(now, record.currency),
            outcome_then=outcome_words(then, record.currency),
            note_now_pence=value_of(now),
            note_then_pence=value_of(then),
            vat_effect_pence=None if vat[0] is None or vat[1] is None else vat[1] - vat[0],
            is_posted=bool(already),
        )
        return _as_paid(found, paid)

    def _settled(self, record: Return, policy: CreditNotePolicy, already: Sequence[Posted]) -> Settlement:
        """The return settled from its beginning; where only its documents explain it, what is due beside them."""
        whole = self.dossier.settled(record, policy, ())
        return self.dossier.settled(record, policy, already) if whole.faults and already else whole

    def _rates(self, return_id: str) -> Rates:
        """VAT per cent of each returned row on its Sales Order."""
        order = self.dossier.orders.get(return_id)
        codes = {line.line_no: line.vat_code for line in order.lines} if order else {}
        lines = self.dossier.lines.get(return_id, ())
        found = {line.product_id: codes.get(line.order_line_no or 0, "") for line in lines}
        return {product_id: RATES[code] * 100 if code in RATES else None for product_id, code in found.items()}
