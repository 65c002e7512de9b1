"""The wide re-run: every refunded line against every credited line once more, from the tables and back into them.

Belongs here: which rows are laid side by side, and where the answer goes. Stays out: the comparison
(``judging.line_reconciliation``) and the judgement of single returns (``judging``). The re-run reads and writes in bulk
and changes nothing but its own two tables, so it can be taken at any time, beside running syncs.
"""

from __future__ import annotations

from dataclasses import dataclass

from khaos_swap_assets.adapters.store import bulk
from khaos_swap_assets.domain.judging.line_reconciliation import reconcile_lines

SCHEMA = "recon"
LINES = "rerun_lines"
RETURNS = "rerun_returns"


@dataclass(frozen=True, slots=True)
class Sources:
    """Two queries with the columns that ``reconcile_lines`` asks for; integers as bigint, no value missing."""

    return_lines: str
    credit_lines: str


STORED = Sources(
    return_lines=(
        "SELECT r.rma, coalesce(m.stock_code, m.sku) AS stock_code, m.quantity, m.cost_pence AS refund_pence "
        "FROM recon.matched_lines m JOIN swap.returns r USING (return_id) "
        "WHERE m.outcome = 'Refund' AND r.refund_pence > 0 AND r.refunded_at IS NOT NULL"
    ),
    credit_lines=(
        "SELECT p.rma, p.credit_note_code, l.stock_code, l.quantity, l.quantity * l.unit_gross_pence AS gross_pence "
        "FROM recon.postings p JOIN recon.drafts d USING (store_id, return_id, ordinal) CROSS JOIN "
        "jsonb_to_recordset(d.draft -> 'lines') AS l (stock_code text, quantity bigint, unit_gross_pence bigint) "
        "WHERE p.state = 'confirmed' AND p.credit_note_code IS NOT NULL"
    ),
)
"""Confirmed refunds line by line, and what our witnessed documents credited for them."""


@dataclass(frozen=True, slots=True)
class Rerun:
    """How many lines and returns were compared, and the returns by status."""

    lines: int
    returns: int
    statuses: dict[str, int]


def rerun(url: str, sources: Sources = STORED) -> Rerun:
    """Compare everything and replace ``recon.rerun_lines`` and ``recon.rerun_returns``. Raises ``StoreError``."""
    found = reconcile_lines(bulk.read_frame(url, sources.return_lines), bulk.read_frame(url, sources.credit_lines))
    lines = bulk.write_frame(url, found.lines, SCHEMA, LINES, mode="replace")
    returns = bulk.write_frame(url, found.returns, SCHEMA, RETURNS, mode="replace")
    return Rerun(lines, returns, {str(name): int(n) for name, n in found.returns["status"].value_counts().items() if n})
