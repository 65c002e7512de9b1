"""What this version of the program would say of a store otherwise than the store does, found on a copy of it.

Belongs here: making the copy, bringing it up to date, and judging every return in it again without any vendor. Stays
out: the copying, the comparison (``adapters.store``) and printing. The store itself is only read.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from pydantic import SecretStr

from khaos_swap_assets.adapters.errors import KhaosSwapError
from khaos_swap_assets.adapters.store import copying, database, embedded, mark, migrate, proofs, rehearsals, worklist
from khaos_swap_assets.adapters.store.postings import SqlPostings
from khaos_swap_assets.stages.credit_notes import engine
from khaos_swap_assets.stages.credit_notes.attributing import attribute_notes
from khaos_swap_assets.stages.credit_notes.drafting import draft_waiting
from khaos_swap_assets.stages.reconciliation.judging import reconcile_waiting, settle_exceptions
from khaos_swap_assets.stages.returns.matching import match_waiting
from khaos_swap_assets.stages.storefront import sync as storefront
from khaos_swap_assets.stages.toolbox import Toolbox

if TYPE_CHECKING:
    from khaos_swap_assets.adapters.settings import Settings
    from khaos_swap_assets.adapters.store.mark import Mark
    from khaos_swap_assets.domain.judging.upgrades import UpgradeChange
    from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy

DATABASE = "rehearsal"
COMPARED = (
    "of each return its status and gap, of exceptions which are open with owner and money at risk, of drafts their "
    "state, reasons and value, of documents which are taken back"
)
NOT_COMPARED = (
    "no vendor is asked, so nothing new is read from Swap, Khaos or a storefront, nothing is planned, since Khaos is "
    "searched before it, and stock moves, levels, completeness and months stay as they are"
)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What changes between two versions of the tables, as of ``judged_at`` (UTC).

    ``rows`` were copied, ``returns`` judged again. ``waiting`` places in line were there before: what those returns
    change may be news of their own.
    """

    place: str
    version_before: str
    version_after: str
    rows: int
    returns: int
    waiting: int
    judged_at: datetime
    changes: tuple[UpgradeChange, ...]


def rehearse(
    settings: Settings, policy: CreditNotePolicy, url: str, whose: Mark, clock: Callable[[], datetime]
) -> Rehearsal:
    """Bring a copy of the store at ``url`` up to date and judge all of it as of when it was judged last.

    The copy is gone afterwards. ``clock`` counts where nothing was ever judged. Raises ``StoreError`` for a store that
    is newer than this program or cannot be read, ``SettingsError`` for one that is not ``whose``.
    """
    version = migrate.standing(url)
    with copying.reading(url) as source:
        mark.require(source, whose)
    with tempfile.TemporaryDirectory(prefix="khaos-swap-rehearsal-", ignore_cleanup_errors=True) as folder:
        server = embedded.start(Path(folder) / "postgres", durable=False)
        try:
            copy = server.url(DATABASE)
            database.ensure(copy)
            migrate.upgrade(copy, version)
            rows, waiting = _copied(url, copy)
            migrate.upgrade(copy)
            judged_at, returns = _judged_again(copy, settings, policy, clock)
            with closing(database.connect(copy, application="rehearsal")) as conn:
                found = tuple(rehearsals.changes(conn))
        finally:
            server.stop()
    return Rehearsal(
        place=database.place(url),
        version_before=version,
        version_after=migrate.head(),
        rows=rows,
        returns=returns,
        waiting=waiting,
        judged_at=judged_at,
        changes=found,
    )


def _copied(url: str, copy: str) -> tuple[int, int]:
    """Copy the store and keep what it says: rows, and places in line."""
    with copying.reading(url) as source, closing(database.connect(copy, application="rehearsal")) as target:
        rows = copying.copy_store(source, target)
        target.commit()
    migrate.upgrade(copy, rehearsals.OLDEST)
    with closing(database.connect(copy, application="rehearsal")) as target, target.transaction():
        rehearsals.remember(target)
        return rows, worklist.waiting(target)


def _judged_again(
    copy: str, settings: Settings, policy: CreditNotePolicy, clock: Callable[[], datetime]
) -> tuple[datetime, int]:
    """What one whole run does, in its order, but for whatever asks a vendor: when it was, and how many returns."""
    with closing(database.connect(copy, application="rehearsal")) as conn:
        now = rehearsals.last_judged(conn) or clock()
    tools = _tools(copy, settings, policy, now)
    with tools.store() as conn:
        proofs.put_in_force(conn, settings.proof)
        returns = worklist.queue_all(conn, "match")
    match_waiting(tools)
    with tools.store() as conn:
        if settings.connected:
            storefront.judge(conn, settings, now)
    draft_waiting(tools)
    with tools.store() as conn:
        attribute_notes(conn, (), now)
        engine.withdraw_stale(SqlPostings(conn), now=now)
    draft_waiting(tools)
    reconcile_waiting(tools)
    settle_exceptions(tools)
    return now, returns


def _tools(copy: str, settings: Settings, policy: CreditNotePolicy, now: datetime) -> Toolbox:
    inside = settings.model_copy(update={"database_url": SecretStr(copy)})
    return Toolbox(
        inside,
        lambda: database.connect(copy, application="rehearsal"),
        *(_nobody, _nobody, _nobody),
        lambda: now,
        policy=policy,
        open_storefront=_nobody,
    )


def _nobody() -> NoReturn:
    raise KhaosSwapError("a rehearsal asks no vendor and opens no address")
