"""The shadow score: what we would have posted beside what staff posted.

Belongs here: ``reconciliation/shadow_score`` and what it shows. Stays out: the scoring (``adapters.store.shadow``).
Nothing is written to either vendor for it. Its cost is that of the returns judged since the last look.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg
import psycopg

from khaos_swap_assets.adapters.store import shadow, worklist
from khaos_swap_assets.adapters.store.shadow import WeekScore
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.reporting.tables import amount
from khaos_swap_assets.stages import isolating
from khaos_swap_assets.stages.pictures import shown
from khaos_swap_assets.stages.presenting import as_table
from khaos_swap_assets.stages.toolbox import Toolbox

SHADOW = dg.AssetKey(["reconciliation", "shadow_score"])
SOURCE = "reconciliation/shadow_score"
SHOWN_WEEKS = 12
WORDS: Mapping[str, str] = {
    "agreed": "we agree",
    "differ": "we differ",
    "they_only": "they did, we would not",
    "we_only": "we would, they did not",
}


@dg.asset(
    key=SHADOW,
    deps=[
        ["swap", "returns"],
        ["credit_notes", "drafts"],
        ["credit_notes", "postings"],
        ["reconciliation", "returns"],
    ],
    group_name="reconciliation",
    owners=["team:finance"],
    kinds={"postgres", "report"},
    tags={"truth": "ours"},
    description="What we would have posted beside what staff posted, by week and currency: we agree, we differ, they "
    "did and we would not, we would and they did not. It makes going live a decision on numbers.",
)
def reconciliation_shadow_score(toolbox: dg.ResourceParam[Toolbox]) -> dg.MaterializeResult[None]:
    """Score the returns judged since the last look, and show the last weeks."""
    now = toolbox.now()
    first = first_week(now, SHOWN_WEEKS)
    with toolbox.store() as conn:
        touched = _score(conn, now)
        found = shadow.weeks(conn, first)
        chart = _chart(conn, found, now)
    return dg.MaterializeResult(
        metadata={
            "weeks_touched": touched,
            **{f"returns_{score}": sum(one.returns for one in found if one.score == score) for score in shadow.SCORES},
            "weeks": as_table([_row(one) for one in found]),
            **({"by_week": chart} if chart else {}),
        }
    )


def first_week(now: datetime, weeks: int) -> str:
    """The first of so many ISO weeks, the present one among them."""
    return shadow.week_of(london_date(now) - timedelta(weeks=weeks - 1))


def _score(conn: psycopg.Connection, now: datetime) -> int:
    since = worklist.reached(conn, SOURCE) or datetime(1970, 1, 1, tzinfo=UTC)
    until = shadow.newest(conn) or since
    ids = isolating.to_try(conn, isolating.SCORING, shadow.judged(conn, since, until), now)
    done, _ = isolating.one_by_one(conn, isolating.SCORING, ids, lambda some: shadow.score(conn, some), now)
    if until > since:
        worklist.move(conn, SOURCE, until)
    return len(set(done))


def _row(one: WeekScore) -> dict[str, object]:
    apart = one.their_pence - one.our_pence
    return {
        "week": one.week,
        "currency": one.currency,
        "score": WORDS[one.score],
        "returns": one.returns,
        "ours": amount(one.our_pence, one.currency),
        "theirs": amount(one.their_pence, one.currency),
        "theirs_less_ours": amount(apart, one.currency),
    }


def _chart(conn: psycopg.Connection, found: Sequence[WeekScore], now: datetime) -> dg.MetadataValue | None:
    if not found:
        return None
    from khaos_swap_assets.stages.shadow.drawing import draw_weeks

    words = f"Returns by score and week, {found[-1].week} to {found[0].week}"
    return shown(conn, "shadow_by_week", draw_weeks, found, words, now)
