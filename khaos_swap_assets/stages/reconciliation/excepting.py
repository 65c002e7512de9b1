"""Opening and closing exceptions at the end of a run.

Belongs here: whether anything may close, and the mark that a run came to its end. Stays out: what is a finding
(``judging``) and how an exception opens (``adapters.store.findings``). What was not seen may still be so: while a
mandatory source is refused nothing closes; of several stores, nothing of those that are not seen.
"""

from __future__ import annotations

from khaos_swap_assets.adapters.store import decisions, findings, worklist
from khaos_swap_assets.domain.exceptions.catalogue import Problem
from khaos_swap_assets.stages import deciding, marks, refusing, stores, waivers
from khaos_swap_assets.stages.toolbox import Toolbox


def settle_exceptions(tools: Toolbox) -> tuple[list[Problem], int, list[str]]:
    """Bring exceptions in line with the findings: those newly opened, how many closed, and what was not seen.

    A waiver whose facts changed ends first, so that its exception is open with the others, and so does any decision.
    """
    with tools.store() as conn:
        unseen, of_stores = stores.unseen(conn, tools.settings)
        for ended in decisions.end_outdated(conn, tools.now(), may_end=not unseen, not_of=of_stores):
            waivers.follow_waiver(conn, ended.kind, ended.subject)
        deciding.end_unfit(conn, tools.now())
        opened, closed = findings.open_and_close(conn, tools.now(), may_close=not unseen, not_of=of_stores)
        worklist.move(conn, marks.JUDGED, tools.now())
    return opened, closed, [*unseen, *(marks.of(refusing.SWAP_LIST, store) for store in of_stores)]
