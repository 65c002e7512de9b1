"""What all returns of one order take back together, beside what it sold.

Belongs here: the claims of the returns, and keeping which of them take too much. Stays out: the caps themselves
(``records.sold_packs``). Source: FINANCE_RULES U-8, U-26.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from khaos_swap_assets.adapters.store import Conn, matches, returns, worklist
from khaos_swap_assets.domain.policy import settlement
from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy
from khaos_swap_assets.domain.records.matches import MatchedLine
from khaos_swap_assets.domain.records.orders import SalesOrder, UnitClaim
from khaos_swap_assets.domain.records.packs import Packs
from khaos_swap_assets.domain.records.returns import ENDED_UNPAID, Return
from khaos_swap_assets.domain.records.sold_packs import named_line, over_sold


def mark_over_returns(
    conn: Conn,
    policy: CreditNotePolicy,
    touched: Mapping[str, SalesOrder],
    packs: Packs,
    known: Mapping[str, tuple[Return, Sequence[MatchedLine]]],
) -> None:
    """Judge all returns of the touched orders together; one whose verdict changed is drafted again.

    ``known`` are those that were just matched, with their lines by product id.
    """
    heads = matches.returns(conn, matches.ids_of_orders(conn, list(touched)))
    others = [key for key in heads if key not in known]
    records = returns.load(conn, others) | {key: record for key, (record, _) in known.items()}
    lines = {**matches.lines(conn, others), **{key: rows for key, (_, rows) in known.items()}}
    claims: dict[str, list[UnitClaim]] = {}
    for key, head in heads.items():
        order = touched.get(head.so_code or "")
        claims.setdefault(head.so_code or "", []).extend(_claims(records[key], lines.get(key, ()), order, policy))
    over: dict[str, dict[str, int]] = {}
    for so_code, order in touched.items():
        asked = claims.get(so_code, ())
        for (return_id, stock_code), pence in over_sold(asked, order, packs).items():
            over.setdefault(return_id, {})[stock_code] = pence
    told = {key: (tuple(sorted(some)), sum(some.values())) for key in heads for some in (over.get(key, {}),)}
    changed = [
        replace(head, over_returned=told[key][0], over_pence=told[key][1])
        for key, head in heads.items()
        if (head.over_returned, head.over_pence) != told[key]
    ]
    matches.mark_over_returned(conn, changed)
    worklist.queue(conn, "draft", [head.return_id for head in changed])


def _claims(
    one: Return, lines: Iterable[MatchedLine], order: SalesOrder | None, policy: CreditNotePolicy
) -> list[UnitClaim]:
    """Rows of the return that are credited; their worth counts once money or a decision stands for it."""
    if one.status in ENDED_UNPAID:
        return []
    settled = settlement.settle(one, policy)
    is_final = one.is_refund_confirmed or (one.is_ended and settled.is_due)
    moment = one.refunded_at if is_final else None
    credited = {row.product_id for row in (*one.refund_lines, *settled.lines)}
    is_worth = one.is_ended and order is not None and order.currency == one.currency
    items = {row.product_id: row.line_item_id for row in one.lines}
    return [
        UnitClaim(
            return_id=one.return_id,
            rma=one.rma,
            refunded_at=moment,
            stock_code=line.stock_code,
            quantity=line.quantity,
            pence=line.cost_pence if is_worth else 0,
            line_no=named_line(order, line.stock_code, items.get(line.product_id, "")) if order else 0,
        )
        for line in lines
        if line.stock_code and line.product_id in credited
    ]
