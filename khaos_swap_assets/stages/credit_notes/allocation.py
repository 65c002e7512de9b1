"""Whether an issued note still stands open on the customer's account.

Belongs here: which customers to ask about and remembering that a note was allocated. Stays out: the exception
(``judging.verdict``). GetCompanyInfo is one call a customer by contract, so each is asked only when a note of
theirs is past the limit, and at most once a day. Source: contracts/khaos.md §7.9.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from khaos_swap_assets.adapters.store import Conn, customers, setbacks, worklist
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.stages import refusing

if TYPE_CHECKING:
    from khaos_swap_assets.adapters.settings import Settings
    from khaos_swap_assets.stages.toolbox import Toolbox

ASK_AGAIN = timedelta(days=1)


def read_allocations(tools: Toolbox) -> int:
    """Ask Khaos about customers with an old issued note; how many answers came. A refusal is kept with its customer."""
    now = tools.now()
    with tools.store() as conn:
        asked = due_customers(conn, tools.settings, now)
    if not asked:
        return 0
    client = tools.open_khaos()
    heard = refusing.hear_each(asked, client.get_company_info)
    with tools.store() as conn:
        refusing.keep(conn, refusing.COMPANIES, heard, client, now)
        worklist.queue(conn, "reconcile", customers.save(conn, heard.answers, now))
    return len(heard.answers)


def due_customers(conn: Conn, settings: Settings, now: datetime) -> list[str]:
    """Customers with an attributed note issued longer ago than the limit that was not seen allocated.

    None in Khaos Cloud, which tells nobody what an account holds.
    """
    paused = setbacks.paused(conn, refusing.COMPANIES, now)
    if settings.khaos.is_cloud or setbacks.WHOLE in paused:
        return []
    return customers.to_ask(
        conn,
        issued_before=london_date(now) - timedelta(days=settings.allocation_days),
        read_before=now - ASK_AGAIN,
        operation=refusing.COMPANIES,
        paused=paused,
        limit=settings.khaos.order_budget,
    )
