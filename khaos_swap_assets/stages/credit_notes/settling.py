"""What the policy makes of a return, with what the order and the returns beside it say.

Belongs here: choosing the decisions of the day, and handing the store's records to ``policy.settlement``. Stays out:
the settlement itself, and the gates of a draft (``drafting``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from khaos_swap_assets.adapters.store import matches
from khaos_swap_assets.domain.documents import draft_lines
from khaos_swap_assets.domain.documents.credit_notes import sale_of
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.policy.settlement import Settlement, settle
from khaos_swap_assets.domain.policy.settlement_case import Posted

if TYPE_CHECKING:
    import psycopg

    from khaos_swap_assets.adapters.store.drafts import SavedDraft
    from khaos_swap_assets.adapters.store.matches import MatchedLine
    from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy
    from khaos_swap_assets.domain.records.orders import SalesOrder
    from khaos_swap_assets.domain.records.returns import Return

Taken = dict[str, dict[str, int]]


def policy_of(record: Return, policy: CreditNotePolicy) -> CreditNotePolicy:
    """The decisions as they held on the London day of the refund; before it, as they are."""
    return policy.on(london_date(record.refunded_at)) if record.refunded_at else policy


def taken_from_orders(conn: psycopg.Connection, policy: CreditNotePolicy, so_codes: Sequence[str]) -> Taken:
    """What each return takes out of these orders, in pence; asked only where finance credits part payments."""
    if policy.part_payment.choice == "task" or not so_codes:
        return {}
    return matches.taken_from(conn, so_codes)


def room_of(record: Return, order: SalesOrder | None, taken: Taken, already: Iterable[Posted]) -> int:
    """What was paid for the order, less what its other returns take and what this one was credited."""
    if order is None:
        return 0
    others = sum(pence for return_id, pence in taken.get(order.so_code, {}).items() if return_id != record.return_id)
    return order.gross_pence - others - sum(one.value_pence for one in already)


def settlement_of(
    record: Return,
    lines: Iterable[MatchedLine],
    order: SalesOrder | None,
    decisions: CreditNotePolicy,
    already: Sequence[Posted],
    room_pence: int,
) -> Settlement:
    """The note that is still due for a return, whoever makes it."""
    sale = sale_of(record, map(as_domain, lines), order, room_pence)
    return settle(record, decisions, already=already, sale=sale)


def as_domain(line: MatchedLine) -> draft_lines.MatchedLine:
    """A matched line of the store as the gates take it."""
    return draft_lines.MatchedLine(
        line.product_id,
        line.stock_code,
        line.quantity,
        line.cost_pence,
        line.dispositions,
        line.problem,
        line.unclear_quantity,
    )


def posted_of(saved: Iterable[SavedDraft]) -> list[Posted]:
    """What a further document has to know of these."""
    return [one.draft.posted for one in saved if one.draft]
