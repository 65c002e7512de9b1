"""Checks of the shadow score: three sentences that must be true before anybody goes live.

Belongs here: the verdicts and their words. Stays out: the scoring (``adapters.store.shadow``). They speak of the last
four ISO weeks, so that what was settled long ago does not stand in the way.
"""

from collections.abc import Sequence

import dagster as dg

from khaos_swap_assets.adapters.store import shadow
from khaos_swap_assets.adapters.store.shadow import Score, WeekScore
from khaos_swap_assets.adapters.store.verdicts import LEG_COLUMNS
from khaos_swap_assets.domain.reporting.tables import amount
from khaos_swap_assets.stages.presenting import WORST_ROWS, as_table, without_empty
from khaos_swap_assets.stages.shadow.assets import SHADOW, first_week
from khaos_swap_assets.stages.toolbox import Toolbox

WEEKS = 4
TOLD = (*LEG_COLUMNS, "gap_evidence")


def _check(name: str, score: Score, description: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=SHADOW, name=name, description=description)
    def check(toolbox: dg.ResourceParam[Toolbox]) -> dg.AssetCheckResult:
        first = first_week(toolbox.now(), WEEKS)
        with toolbox.store() as conn:
            found = shadow.weeks(conn, first)
            rows = shadow.worst(conn, score, first, TOLD, WORST_ROWS)
        return _judged(score, found, rows)

    return check


def _judged(score: Score, found: Sequence[WeekScore], rows: Sequence[dict[str, object]]) -> dg.AssetCheckResult:
    apart = [one for one in found if one.score == score]
    return dg.AssetCheckResult(
        passed=not apart,
        severity=dg.AssetCheckSeverity.WARN,
        description=_sentence(apart, sum(one.returns for one in found)),
        metadata={
            "returns": sum(one.returns for one in apart),
            "returns_scored": sum(one.returns for one in found),
            **_by_currency(apart),
            "worst": as_table(without_empty(rows, LEG_COLUMNS)),
        },
    )


def _by_currency(apart: Sequence[WeekScore]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for one in apart:
        name = f"theirs_less_ours_pence_{one.currency}"
        sums[name] = sums.get(name, 0) + one.their_pence - one.our_pence
    return sums


def _sentence(apart: Sequence[WeekScore], scored: int) -> str:
    if not apart:
        return f"none of {scored} returns scored in {WEEKS} weeks"
    sums = {name.rpartition("_")[2]: pence for name, pence in _by_currency(apart).items()}
    told = ", ".join(amount(pence, currency) for currency, pence in sorted(sums.items()))
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
