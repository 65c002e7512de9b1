"""Using what Khaos pushed, batch by batch.

Belongs here: taking pushes from the inbox and using each up in the transaction that keeps what it told. Stays out: what
a push tells (``stock_codes``, ``stock``). A catalogue of any size passes in the memory of one batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from khaos_swap_assets.adapters.store import inbox, khaos_faults

if TYPE_CHECKING:
    import psycopg

    Use = Callable[[psycopg.Connection, Sequence[inbox.Waiting], datetime], int]


def use_pushes(conn: psycopg.Connection, event: str, use: Use, now: datetime) -> int:
    """Hand every push of ``event`` that came before ``now`` (UTC) to ``use``, oldest first; how much changed.

    ``use`` keeps what a batch tells and says how much of it was news. A fault of the whole event is over once one of
    its pushes came again, and stands where that one cannot be read either. The caller commits.
    """
    changed, is_more = 0, True
    while is_more:
        messages = inbox.waiting(conn, "khaos", event=event)
        if messages:
            khaos_faults.resolve(conn, [event], now)
            changed += use(conn, messages, now)
        is_used = inbox.consume(conn, messages, now) == len(messages) > 0
        is_more = is_used and messages[-1].received_at <= now
    return changed
