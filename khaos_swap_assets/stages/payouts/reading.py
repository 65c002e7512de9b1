"""Reading the payouts of Shopify Payments of every store: those that came or changed since the last look.

Belongs here: when to ask and how far back, keeping what came with its watermark, and what is refused. Stays out: the
questions (``adapters.storefront.payouts``) and comparing (``comparing``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg

from khaos_swap_assets.adapters.errors import PermanentError
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import payouts, refunds, setbacks, worklist
from khaos_swap_assets.adapters.storefront.payouts import PROVIDER, payouts_since, subject_of
from khaos_swap_assets.adapters.storefront.records import PayoutSweep
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.stages import marks, refusing, stores
from khaos_swap_assets.stages.depth import first_read_from
from khaos_swap_assets.stages.toolbox import Toolbox

CHANGES_WITHIN = timedelta(days=14)
"""A payout is scheduled first, and paid, failed or cancelled some days later."""
NOTHING = PayoutSweep((), (), ())


@dataclass(frozen=True, slots=True)
class ReadPayouts:
    """What one look brought: payouts that were listed, those that said something new, and those not read whole."""

    listed: int = 0
    changed: int = 0
    unreadable: int = 0


def read_payouts(tools: Toolbox) -> ReadPayouts:
    """Read the payouts of each store when it is time; one's outage holds up no other."""
    found = stores.each(tools, refusing.PAYOUTS, _read)
    return ReadPayouts(*(sum(getattr(one, name) for one in found) for name in ReadPayouts.__dataclass_fields__))


def _read(tools: Toolbox) -> ReadPayouts:
    now, store = tools.now(), tools.settings.swap.store
    operation = marks.of(refusing.PAYOUTS, store)
    with tools.store() as conn:
        since = due_since(conn, tools.settings, now)
        known = payouts.hashes_since(conn, PROVIDER, london_date(since)) if since else {}
    if since is None:
        return ReadPayouts()
    refusal: PermanentError | None = None
    try:
        sweep = payouts_since(tools.open_storefront(), since, known.get)
    except PermanentError as error:
        sweep, refusal = NOTHING, error
    with tools.store() as conn:
        payouts.save(conn, sweep.payouts, now)
        read = [subject_of(one.record.payout_id) for one in sweep.payouts]
        refunds.keep_faults(conn, read, sweep.faults, now)
        refusing.keep_whole(conn, operation, refusal, now, longest=stores.longest_pause(tools.settings))
        if refusal is None:
            setbacks.over(conn, [operation], [one for one in sweep.seen if one not in sweep.refused])
            setbacks.keep(conn, operation, sweep.refused, now)
            if worklist.trusted(conn, marks.of(marks.PAYOUTS_FROM, store), now) is None:
                worklist.move(conn, marks.of(marks.PAYOUTS_FROM, store), since)
            worklist.move(conn, marks.of(marks.PAYOUTS, store), now)
    return ReadPayouts(len(sweep.seen), len(sweep.payouts), len(sweep.faults))


def due_since(conn: psycopg.Connection, settings: Settings, now: datetime) -> datetime | None:
    """The moment since which to ask a store, or None where nobody asks, or did lately, or was refused a moment ago."""
    operation, mark = (marks.of(name, settings.swap.store) for name in (refusing.PAYOUTS, marks.PAYOUTS))
    if not settings.storefront.reads_payouts or setbacks.WHOLE in setbacks.paused(conn, operation, now):
        return None
    reached = worklist.trusted(conn, mark, now)
    if reached is None:
        return first_read_from(settings, now)
    is_due = reached <= now - timedelta(minutes=settings.storefront.payout_minutes)
    return reached - CHANGES_WITHIN if is_due else None
