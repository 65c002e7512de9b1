"""What of Khaos is known at all: where a source shows nothing because nobody could read it, nothing follows from that.

Belongs here: when what is absent is truly absent, and whom it concerns once that can be told. Stays out: reading
(``stock_codes.sync``, ``orders.sync``), the exceptions of a source that is not read (``watching``, ``refusing``).
"""

from __future__ import annotations

from collections.abc import Sequence

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import Conn, matches, setbacks, worklist
from khaos_swap_assets.stages import marks, refusing

CATALOGUE = (refusing.STOCK_LIST, refusing.STOCK)


def are_codes(conn: Conn) -> bool:
    """True once the whole catalogue was read and while it is: else a code that is new to us may be a Stock Code."""
    return worklist.reached(conn, marks.CATALOGUE) is not None and not setbacks.refused(conn, CATALOGUE)


def untold(conn: Conn, codes: Sequence[str]) -> frozenset[str]:
    """Those of these codes, all new to us, of which Khaos tells nothing, so that they may be Stock Codes.

    A code that a row was told to be none stays none.
    """
    silent = {*setbacks.of_subjects(conn, [refusing.STOCK], codes)} if are_codes(conn) else {*filter(str.strip, codes)}
    return frozenset(silent.difference(matches.missed(conn, sorted(silent))))


def were_documents(conn: Conn, settings: Settings) -> bool:
    """True once the status feed was read: before that no Credit Note can be said to be missing."""
    return settings.khaos.is_cloud or worklist.reached(conn, marks.DOCUMENTS) is not None


def are_statuses(conn: Conn, settings: Settings) -> bool:
    """True while the status feed is read: else an order that shows no invoice may have one by now."""
    return were_documents(conn, settings) and refusing.STATUSES not in refusing.not_seen(conn)


def release(conn: Conn) -> None:
    """Match anew whatever waited for a source that is known now."""
    worklist.queue(conn, "match", matches.ids_of_waiting(conn))
