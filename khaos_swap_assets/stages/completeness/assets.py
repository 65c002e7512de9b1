"""Assets that judge the flow itself, and their checks: whether everything arrived, and how fast it went through.

Belongs here: ``reconciliation/completeness`` and ``reconciliation/latency`` and what they show. Stays out: the work
(``comparing``, ``adapters.store.latency``).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

import dagster as dg

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import Conn, arrivals, completeness, latency, queues, worklist
from khaos_swap_assets.adapters.store.completeness import Day, Traffic
from khaos_swap_assets.adapters.store.latency import DayOfLatency
from khaos_swap_assets.adapters.store.queues import Queue
from khaos_swap_assets.domain.money.amounts import money_words
from khaos_swap_assets.domain.records.returns import hold_words
from khaos_swap_assets.stages import isolating, marks, watching
from khaos_swap_assets.stages.checking import StandingCheck
from khaos_swap_assets.stages.completeness.comparing import WIDE, compare
from khaos_swap_assets.stages.presenting import PREVIEW_ROWS, WORST_ROWS, as_table, asset, owned, shown
from khaos_swap_assets.stages.toolbox import Toolbox

GATHERED = "reconciliation/latency"
OVERLAP = timedelta(hours=1)
SHOWN = timedelta(days=30)


@asset(
    "reconciliation/completeness",
    deps="swap/returns khaos/sales_orders credit_notes/drafts credit_notes/postings reconciliation/returns",
    **owned("watch", "cx", "ours", "report"),
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
            "days_asked": len(found.days),
            "told": sum(day.told for day in days),
            "mirrored": sum(day.mirrored for day in days),
            "read_again": sum(day.mended for day in found.days),
            "read_singly": found.read_singly,
            "rmas": ", ".join(mended[:PREVIEW_ROWS]) or "none",
            "compared_at": str(compared_at or "never"),
            "days": as_table([_row(day, toolbox.settings) for day in days[:PREVIEW_ROWS]]),
            "documents": as_table(documents[:PREVIEW_ROWS]),
            "refused": as_table([{"reason": key, "times": times} for key, times in refused.items()]),
            "queues": as_table([queue_row(queue) for queue in waiting]),
            "held_by_reason": as_table([_held(row) for row in held]),
        }
    )


@asset(
    "reconciliation/latency",
    deps="swap/returns warehouse/inspections credit_notes/drafts credit_notes/postings",
    **owned("watch", "cx", "ours", "report"),
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
            "offered_7_days": offered,
            "p50_seconds": p50,
            "p95_seconds": p95,
            "slowest": as_table([_slow(row) for row in slowest]),
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
        "a_day": queue.done_a_day,
        "empty_in": empty if queue.waiting else "empty",
        "why": queue.why,
    }


def _gather(conn: Conn, now: datetime) -> int:
    reached = worklist.trusted(conn, GATHERED, now)
    began_at = worklist.trusted(conn, completeness.FIRST_LOOK, now) or now
    since = reached - OVERLAP if reached else datetime.min.replace(tzinfo=now.tzinfo, year=1970)
    ids = isolating.to_try(conn, isolating.TIMING, latency.touched(conn, since), now)
    done, _ = isolating.one_by_one(
        conn, isolating.TIMING, ids, lambda some: [latency.gather(conn, some, began_at)], now
    )
    worklist.move(conn, GATHERED, now)
    return sum(done)


def _chart(conn: Conn, days: Sequence[DayOfLatency], now: datetime) -> dg.MetadataValue | None:
    if not days:
        return None
    words = f"Seconds from gate to offer by day, {days[0].day} to {days[-1].day}"
    return shown(conn, "latency_by_day", draw_latency, days, words, now)


def _held(row: Mapping[str, Any]) -> dict[str, object]:
    value = money_words(row["value_pence"], row["currency"])
    return {"reason": hold_words(row["reason"]), "value": value, "held": row["held"], "since": row["since"]}


def _slow(row: Mapping[str, Any]) -> dict[str, object]:
    """A return that took long: the moments of its way as far as it came, each after the one before."""
    moments = ((name.removesuffix("_at").replace("_", " "), row[name]) for name in row if name.endswith("_at"))
    way = ", ".join(f"{name} {moment:%d %b %H:%M}" for name, moment in moments if moment)
    return {"rma": row["rma"], "took": _span(row["seconds"]), "way": way}


def _span(seconds: int) -> str:
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    parts = [(days, "d"), (hours, "h"), (rest // 60, "min")] if seconds >= 60 else [(seconds, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"


MOST_LEVEL_LABELS = 12


def draw_latency(days: Sequence[DayOfLatency]) -> bytes:
    """A picture (PNG): p50 and p95 seconds by day on a logarithmic scale, and the objective as a line."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 3.6), dpi=110, layout="constrained")
    panel = figure.subplots()
    places = range(len(days))
    panel.plot(places, [max(1, day.p95_seconds) for day in days], "o-", color="#b5483a", label="p95")
    panel.plot(places, [max(1, day.p50_seconds) for day in days], "o-", color="#2f6f9f", label="p50")
    panel.axhline(OBJECTIVE.total_seconds(), color="#777777", linestyle="--", linewidth=0.9, label="objective")
    panel.set_yscale("log")
    panel.set_xticks(list(places), [f"{day.day:%d %b}" for day in days])
    panel.tick_params(axis="x", labelrotation=90 if len(days) > MOST_LEVEL_LABELS else 0, labelsize="small")
    panel.set_ylabel("seconds")
    panel.set_title("From the last gate to open until on offer")
    panel.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
    panel.spines[["top", "right"]].set_visible(False)
    target = BytesIO()
    figure.savefig(target, format="png")
    return target.getvalue()


SILENCE = timedelta(days=3)
ENOUGH_RETURNS = 5
OBJECTIVE = timedelta(minutes=5)
WINDOW = timedelta(days=7)


def _whole(conn: Conn, tools: Toolbox) -> dg.AssetCheckResult:
    """Judge the comparison, its age, and the silence of webhooks."""
    now, stores = tools.now(), tools.settings.by_store
    days = completeness.days(conn, (now - SHOWN).date())
    compared = {one.swap.store: worklist.trusted(conn, marks.of(WIDE, one.swap.store), now) for one in stores}
    traffic = completeness.traffic(conn, now - SILENCE)
    faults = [line for one in stores for line in _faults_of(conn, one, days, compared[one.swap.store], now)]
    short = [day for day in days if day.short]
    return dg.AssetCheckResult(
        passed=not faults,
        severity=dg.AssetCheckSeverity.ERROR if short else dg.AssetCheckSeverity.WARN,
        description="; ".join(faults) or all_is_well(days, traffic),
        metadata={
            "missing": sum(day.short for day in days),
            "days_compared": len(days),
            "webhooks_in_3_days": traffic.knocks,
            "returns_changed_in_3_days": traffic.changed,
            **{
                marks.of("compared_at", tools.settings.name_of(store)).replace(" ", "_"): str(at or "never")
                for store, at in compared.items()
            },
            "worst": as_table(
                [_row(day, tools.settings) for day in sorted(short, key=lambda day: -day.short)[:WORST_ROWS]]
            ),
        },
    )


def _faults_of(
    conn: Conn, settings: Settings, days: Sequence[Day], compared_at: datetime | None, now: datetime
) -> list[str]:
    """What cannot be said of one store, named where there are several."""
    store, name = settings.swap.store, settings.name_of(settings.swap.store)
    traffic = completeness.traffic(conn, now - SILENCE, store if name else None)
    hears = bool(settings.swap.webhook_secret.get_secret_value())
    mine = [day for day in days if day.store == store]
    faults = find_faults(mine, compared_at, traffic, now, hears_webhooks=hears)
    return [f"{name}: {line}" if name else line for line in faults]


def find_faults(
    days: Sequence[Day], compared_at: datetime | None, traffic: Traffic, now: datetime, *, hears_webhooks: bool
) -> list[str]:
    """Why it cannot be said that nothing is missing, one sentence each."""
    faults = []
    if compared_at is None or compared_at < now - watching.STALE_AFTER:
        faults.append("Swap was not asked for its counts within 26 hours: nothing may have arrived")
    elif not days:
        faults.append("Swap tells no counts, so nothing can be proven")
    if short := sum(day.short for day in days):
        faults.append(f"{short} returns that Swap counts are not in the mirror")
    if hears_webhooks and not traffic.knocks and traffic.submitted >= ENOUGH_RETURNS:
        faults.append(f"nothing arrived: no webhook in 3 days, yet {traffic.submitted} returns were submitted")
    return faults


def all_is_well(days: Sequence[Day], traffic: Traffic) -> str:
    """What green means today, in one sentence."""
    held = sum(day.told for day in days)
    happened = f"{traffic.changed} changed in 3 days" if traffic.changed else "nothing happened in 3 days"
    return f"all {held} returns that Swap counts in a month are here; {happened}, {traffic.knocks} webhooks"


def _in_time(conn: Conn, tools: Toolbox) -> dg.AssetCheckResult:
    """Compare the past week's 95th percentile with the objective."""
    first = tools.now() - WINDOW
    offered, p50, p95 = latency.since(conn, first)
    return dg.AssetCheckResult(
        passed=p95 <= OBJECTIVE.total_seconds(),
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{offered} offered in 7 days, half within {p50} s, 95 in 100 within {p95} s",
        metadata={
            "offered": offered,
            "p50_seconds": p50,
            "p95_seconds": p95,
            "worst": as_table([_slow(row) for row in latency.slowest(conn, first, WORST_ROWS)]),
        },
    )


def _row(day: Day, settings: Settings) -> dict[str, object]:
    of = {"store": name} if (name := settings.name_of(day.store)) else {}
    told = {"day": day.day, **of, "told": day.told, "here": day.mirrored, "missing": day.short, "mended": day.mended}
    return {**told, "unreadable": day.unreadable_rows, "rmas": ", ".join((*day.missing_rmas, *day.vanished_rmas))}


CHECKS = [
    StandingCheck(
        "reconciliation/completeness",
        "nothing_is_missing",
        "Swap's own count of returns agrees with ours on every day of a month, compared within 26 hours: quiet then "
        "means that nothing happened, and not that nothing arrived. When red: the table names the days; returns that "
        "were missing are read again at once, so look why they were: webhooks in Swap's dashboard, failed runs.",
        _whole,
    ),
    StandingCheck(
        "reconciliation/latency",
        "returns_are_on_offer_in_time",
        "Of the documents offered in the past seven days, 95 in 100 were on offer within 5 minutes of the last gate to "
        "open (Swap's change or the inspection). When red: the table shows at which step the slow ones waited.",
        _in_time,
    ),
]
