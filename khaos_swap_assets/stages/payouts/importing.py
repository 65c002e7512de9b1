"""Payouts that a person brings as a file, of any payment provider.

Belongs here: one import as one transaction. Stays out: reading files (``adapters.files``), comparing (``comparing``).
A payout in the file takes the place of what an earlier file said of it; what the storefront told stays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from khaos_swap_assets.adapters.store import payouts
from khaos_swap_assets.adapters.storefront.records import ReadPayout
from khaos_swap_assets.domain.records.stores import qualified
from khaos_swap_assets.stages.orders.importing import Brought, record_import

if TYPE_CHECKING:
    import psycopg

    from khaos_swap_assets.domain.payouts.records import Payout


@dataclass(frozen=True, slots=True)
class ImportedPayouts:
    """What came of it: payouts in the file, those that were news, and those that the storefront told itself."""

    payouts: int
    changed: int
    told_by_storefront: int


def import_payouts(
    conn: psycopg.Connection, told: Sequence[Payout], brought: Brought, now: datetime
) -> ImportedPayouts:
    """Keep the payouts of a file; the next run compares them. The caller commits. The same file twice changes nothing.

    Who brought it stands in the record of imports and in the audit log.
    """
    known = payouts.known_hashes(conn, [(one.provider, one.payout_id) for one in told])
    read = [ReadPayout(one, _hash(one)) for one in told]
    own = [one for one in read if known.get((one.record.provider, one.record.payout_id), ("", True))[1]]
    fresh = [one for one in own if known.get((one.record.provider, one.record.payout_id), ("",))[0] != one.content_hash]
    if fresh:
        payouts.save(conn, fresh, now, import_id=record_import(conn, "payouts", brought, len(told), len(fresh), now))
    return ImportedPayouts(len(told), len(fresh), len(told) - len(own))


def of_store(told: Sequence[Payout], store: str | None) -> Sequence[Payout]:
    """Payouts of a file whose returns and orders are those of a further store, as our tables name them."""
    if not store:
        return told
    return [
        replace(
            one,
            lines=tuple(
                replace(line, return_ref=qualified(store, line.return_ref), order_ref=qualified(store, line.order_ref))
                for line in one.lines
            ),
        )
        for one in told
    ]


def _hash(one: Payout) -> str:
    whole = (replace(one, lines=()), [repr(line) for line in one.lines])
    return hashlib.sha256(repr(whole).encode()).hexdigest()
