"""The shadow score: what we would have posted beside what staff posted; and the checks before anybody goes live.

Belongs here: ``reconciliation/shadow_score`` and what it shows. Stays out: the scoring (``adapters.store.shadow``).
Nothing is written to either vendor for it. Its cost is that of the returns judged since the last look; the checks speak
of the last four ISO weeks, so that what was settled long ago does not stand in the way.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

import dagster as dg

from khaos_swap_assets.adapters.store import Conn, shadow, worklist
from khaos_swap_assets.adapters.store.shadow import SCORES, Score, WeekScore
from khaos_swap_assets.adapters.store.verdicts import LEG_COLUMNS
from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.sums import added
from khaos_swap_assets.stages import isolating
from khaos_swap_assets.stages.checking import StandingCheck
from khaos_swap_assets.stages.presenting import WORST_ROWS, as_table, asset, made_of, owned, shown
from khaos_swap_assets.stages.toolbox import Toolbox

if TYPE_CHECKING:
    from matplotlib.axes import Axes


SOURCE = "reconciliation/shadow_score"
SHOWN_WEEKS = 12
WORDS: Mapping[str, str] = {
    "agreed": "we agree",
    "differ": "we differ",
    "they_only": "they did, we would not",
    "we_only": "we would, they did not",
}


@asset(
    "reconciliation/shadow_score",
    deps="swap/returns credit_notes/drafts credit_notes/postings reconciliation/returns",
    **owned("reconciliation", "finance", "ours", "report"),
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
            "touched": touched,
            **{score: sum(one.returns for one in found if one.score == score) for score in shadow.SCORES},
            "weeks": as_table([_row(one) for one in found]),
            **({"by_week": chart} if chart else {}),
        }
    )


def first_week(now: datetime, weeks: int) -> str:
    """The first of so many ISO weeks, the present one among them."""
    return shadow.week_of(london_date(now) - timedelta(weeks=weeks - 1))


def _score(conn: Conn, now: datetime) -> int:
    since = worklist.reached(conn, SOURCE) or datetime(1970, 1, 1, tzinfo=UTC)
    until = shadow.newest(conn) or since
    ids = isolating.to_try(conn, isolating.SCORING, shadow.judged(conn, since, until), now)
    done, _ = isolating.one_by_one(conn, isolating.SCORING, ids, lambda some: shadow.score(conn, some), now)
    if until > since:
        worklist.move(conn, SOURCE, until)
    return len(set(done))


def _row(one: WeekScore) -> dict[str, object]:
    return {
        "week": one.week,
        "score": WORDS[one.score],
        "returns": one.returns,
        "ours": format_money(one.our_pence, one.currency),
        "theirs": format_money(one.their_pence, one.currency),
        "apart": format_money(one.their_pence - one.our_pence, one.currency),
    }


def _chart(conn: Conn, found: Sequence[WeekScore], now: datetime) -> dg.MetadataValue | None:
    if not found:
        return None
    words = f"Returns by score and week, {found[-1].week} to {found[0].week}"
    return shown(conn, "shadow_by_week", draw_weeks, found, words, now)


COLOURS = {"agreed": "#2f6f9f", "differ": "#b5473c", "they_only": "#c98f3a", "we_only": "#8a8f98"}


def draw_weeks(found: Sequence[WeekScore]) -> bytes:
    """A picture (PNG): returns by week, one bar a week split by score, one panel a currency."""
    from matplotlib.figure import Figure

    currencies = sorted({one.currency for one in found})
    weeks = sorted({one.week for one in found})
    figure = Figure(figsize=(7.5, 3.6 * len(currencies)), dpi=110, layout="constrained")
    panels = figure.subplots(len(currencies), 1, squeeze=False)[:, 0]
    for panel, currency in zip(panels, currencies, strict=True):
        _bars(panel, weeks, [one for one in found if one.currency == currency])
        panel.set_title(f"Credit Notes by staff beside what we would have posted, {currency}")
    target = BytesIO()
    figure.savefig(target, format="png")
    return target.getvalue()


def _bars(panel: "Axes", weeks: Sequence[str], found: Sequence[WeekScore]) -> None:
    below = [0] * len(weeks)
    for score in SCORES:
        counts = [sum(one.returns for one in found if (one.week, one.score) == (week, score)) for week in weeks]
        panel.bar(range(len(weeks)), counts, bottom=below, color=COLOURS[score], label=WORDS[score])
        below = [under + count for under, count in zip(below, counts, strict=True)]
    panel.set_xticks(range(len(weeks)), [week.partition("-")[2] for week in weeks])
    panel.set_ylabel("returns")
    panel.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
    panel.spines[["top", "right"]].set_visible(False)


WEEKS = 4
TOLD = (*LEG_COLUMNS, "gap_evidence")


def _check(name: str, score: Score, description: str) -> StandingCheck:
    def judge(conn: Conn, tools: Toolbox) -> dg.AssetCheckResult:
        first = first_week(tools.now(), WEEKS)
        rows, found = shadow.worst(conn, score, first, TOLD, WORST_ROWS), shadow.weeks(conn, first)
        apart, scored = [one for one in found if one.score == score], sum(one.returns for one in found)
        return dg.AssetCheckResult(
            passed=not apart,
            severity=dg.AssetCheckSeverity.WARN,
            description=_sentence(apart, scored),
            metadata={
                "returns": sum(one.returns for one in apart),
                "returns_scored": scored,
                **{f"theirs_less_ours_pence_{name}": pence for name, pence in _by_currency(apart).items()},
                "worst": as_table([_compared(row) for row in rows]),
            },
        )

    return StandingCheck("reconciliation/shadow_score", name, description, judge)


def _compared(row: Mapping[str, Any]) -> dict[str, Any]:
    ours, theirs = (format_money(row[name], row["currency"]) for name in ("our_pence", "their_pence"))
    told = {"rma": row["rma"], "ours": ours, "theirs": theirs, "why": row["why"], "made_of": made_of(row)}
    return {**told, "evidence": row["gap_evidence"], "notes": row["credit_note_codes"], "week": row["week"]}


def _by_currency(apart: Sequence[WeekScore]) -> Counter[str]:
    """Theirs less ours, in pence."""
    return added((one.currency, one.their_pence - one.our_pence) for one in apart)


def _sentence(apart: Sequence[WeekScore], scored: int) -> str:
    if not apart:
        return f"none of {scored} returns scored in {WEEKS} weeks"
    told = ", ".join(format_money(pence, currency) for currency, pence in sorted(_by_currency(apart).items()))
    return f"{sum(one.returns for one in apart)} of {scored} returns scored in {WEEKS} weeks, theirs less ours {told}"


CHECKS = [
    _check(
        "our_documents_agree_with_staffs",
        "differ",
        "Of the returns that staff credited in the last four weeks and we would have credited, every value is the same "
        "to the penny. When red: each row shows both values and the legs between refund and Credit Note; correct the "
        "note, or decide in the Credit Note policy what staff do otherwise.",
    ),
    _check(
        "staff_credit_only_what_we_would",
        "they_only",
        "Staff credited nothing in the last four weeks that we would have held back. When red: each row says why we "
        "would; mend the cause (a SKU, an order, an outcome without a policy) so that it can be posted.",
    ),
    _check(
        "staff_credit_all_that_we_would",
        "we_only",
        "Staff left nothing uncredited in the last four weeks that we would have credited. When red: money was "
        "refunded and no Credit Note was made; going live would have made it.",
    ),
]
