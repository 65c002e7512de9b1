"""Assets that judge the flow itself: whether everything arrived, and how fast it went through.

Belongs here: ``reconciliation/completeness`` and ``reconciliation/latency`` and what they show. Stays out: the work
(``comparing``, ``adapters.store.latency``).
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

import dagster as dg
import psycopg

from khaos_swap_assets.adapters.store import arrivals, completeness, latency, queues, worklist
from khaos_swap_assets.adapters.store.latency import DayOfLatency
from khaos_swap_assets.adapters.store.queues import Queue
from khaos_swap_assets.domain.records.returns import hold_words
from khaos_swap_assets.stages import isolating
from khaos_swap_assets.stages.completeness.comparing import WIDE, compare
from khaos_swap_assets.stages.pictures import shown
from khaos_swap_assets.stages.presenting import PREVIEW_ROWS, WORST_ROWS, as_table
from khaos_swap_assets.stages.toolbox import Toolbox

COMPLETENESS = dg.AssetKey(["reconciliation", "completeness"])
LATENCY = dg.AssetKey(["reconciliation", "latency"])
GATHERED = "reconciliation/latency"
OVERLAP = timedelta(hours=1)
SHOWN = timedelta(days=30)


@dg.asset(
    key=COMPLETENESS,
    deps=[
        ["swap", "returns"],
        ["khaos", "sales_orders"],
        ["credit_notes", "drafts"],
        ["credit_notes", "postings"],
        ["reconciliation", "returns"],
    ],
    group_name="watch",
    owners=["team:cx"],
    kinds={"postgres", "report"},
    tags={"truth": "ours"},
    description="What Swap says it holds beside what we hold, by day of submission; documents handed out beside Credit "
    "Notes seen; what the gateway refused; and every queue: what waits, how long, why, and when it will be empty.",
)
def reconciliation_completeness(toolbox: dg.ResourceParam[Toolbox]) -> dg.MaterializeResult[None]:
    """Compare the days that are due, and read again what is apart."""
    found, now = compare(toolbox), toolbox.now()
    with toolbox.store() as conn:
        days = completeness.days(conn, (now - SHOWN).date())
        documents = completeness.documents(conn, now - SHOWN)
        refused = arrivals.refused(conn, now - timedelta(days=1))
        waiting, held = queues.read(conn, now), queues.held_by_reason(conn)
        compared_at = worklist.trusted(conn, WIDE, now)
    mended = [rma for day in found.days for rma in day.missing_rmas]
    return dg.MaterializeResult(
        metadata={
            "days_asked_about": len(found.days),
            "returns_told": sum(day.told for day in days),
            "returns_mirrored": sum(day.mirrored for day in days),
            "returns_read_again": found.mended,
            "open_returns_read_singly": found.read_singly,
            "rmas_read_again": ", ".join(mended[:PREVIEW_ROWS]) or "none",
            "compared_at": str(compared_at or "never"),
            "days": as_table([_cells(asdict(day)) for day in days[:PREVIEW_ROWS]]),
            "documents": as_table(documents[:PREVIEW_ROWS]),
            "refused_messages": as_table([{"reason": key, "times": times} for key, times in refused.items()]),
            "queues": as_table([queue_row(queue) for queue in waiting]),
            "held_by_reason": as_table([{**row, "reason": hold_words(row["reason"])} for row in held]),
        }
    )


@dg.asset(
    key=LATENCY,
    deps=[["swap", "returns"], ["warehouse", "inspections"], ["credit_notes", "drafts"], ["credit_notes", "postings"]],
    group_name="watch",
    owners=["team:cx"],
    kinds={"postgres", "report"},
    tags={"truth": "ours"},
    description="When each return took each step: Swap's event, accepted by the gateway, read, inspected, drafted, on "
    "offer, handed out, witnessed. The gate is the last thing that had to happen before a document could be offered.",
)
def reconciliation_latency(toolbox: dg.ResourceParam[Toolbox]) -> dg.MaterializeResult[None]:
    """Gather the moments of the returns that moved."""
    now = toolbox.now()
    with toolbox.store() as conn:
        gathered = _gather(conn, now)
        days = latency.by_day(conn, now - SHOWN)
        slowest = latency.slowest(conn, now - timedelta(days=7), WORST_ROWS)
        offered, p50, p95 = latency.since(conn, now - timedelta(days=7))
        chart = _chart(conn, days, now)
    return dg.MaterializeResult(
        metadata={
            "gathered": gathered,
            "offered_in_7_days": offered,
            "p50_seconds": p50,
            "p95_seconds": p95,
            "slowest": as_table(slowest),
            **({"by_day": chart} if chart else {}),
        }
    )


def queue_row(queue: Queue) -> dict[str, object]:
    """A queue in words that a person reads."""
    empty = "not at the present rate" if queue.empty_in_seconds is None else _span(queue.empty_in_seconds)
    return {
        "queue": queue.name,
        "waiting": queue.waiting,
        "oldest": _span(queue.oldest_seconds) if queue.waiting else "",
        "done_in_a_day": queue.done_a_day,
        "empty_in": empty if queue.waiting else "empty",
        "why": queue.why,
    }


def _gather(conn: psycopg.Connection, now: datetime) -> int:
    reached = worklist.trusted(conn, GATHERED, now)
    began_at = worklist.trusted(conn, completeness.FIRST_LOOK, now) or now
    since = reached - OVERLAP if reached else datetime.min.replace(tzinfo=now.tzinfo, year=1970)
    ids = isolating.to_try(conn, isolating.TIMING, latency.touched(conn, since), now)
    done, _ = isolating.one_by_one(
        conn, isolating.TIMING, ids, lambda some: [latency.gather(conn, some, began_at)], now
    )
    worklist.move(conn, GATHERED, now)
    return sum(done)


def _chart(conn: psycopg.Connection, days: Sequence[DayOfLatency], now: datetime) -> dg.MetadataValue | None:
    if not days:
        return None
    from khaos_swap_assets.stages.completeness.drawing import draw_latency

    words = f"Seconds from gate to offer by day, {days[0].day} to {days[-1].day}"
    return shown(conn, "latency_by_day", draw_latency, days, words, now)


def _cells(row: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in row.items() if name != "checked_at"}


def _span(seconds: int) -> str:
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    parts = [(days, "d"), (hours, "h"), (rest // 60, "min")] if seconds >= 60 else [(seconds, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"
