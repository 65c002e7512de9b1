"""Standing checks: sentences that are true when green, with an exact count, the money at risk and what to do.

Belongs here: the one way to build a check on open exceptions, so that all of them read alike. Stays out: the
conditions (``judging.conditions``). The table shows the worst 20; the count is exact.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

import dagster as dg
import psycopg

from khaos_swap_assets.adapters.store import decisions, exceptions
from khaos_swap_assets.domain.exceptions.catalogue import KINDS
from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets.domain.reporting.month_open import waived_words
from khaos_swap_assets.stages import watching
from khaos_swap_assets.stages.presenting import WORST_ROWS, as_table
from khaos_swap_assets.stages.toolbox import Toolbox

More = Callable[[psycopg.Connection, datetime], Mapping[str, dg.MetadataValue]]
WATCH = dg.AssetKey(["reconciliation", "watch"])
EXCEPTIONS = dg.AssetKey(["reconciliation", "exceptions"])


def exceptions_check(
    name: str, asset: str, kinds: Sequence[str], proves: str, more: More | None = None
) -> dg.AssetChecksDefinition:
    """A check that is green while no exception of ``kinds`` is open; ``proves`` says in a sentence what green means.

    ``more`` gives further metadata from the store, as of now.
    """
    key = dg.AssetKey(asset.split("/"))

    @dg.asset_check(asset=key, name=name, description=described(proves, kinds), additional_deps=after_judging(key))
    def standing_check(toolbox: dg.ResourceParam[Toolbox]) -> dg.AssetCheckResult:
        with toolbox.store() as conn:
            found = judge_open(conn, kinds, {} if more is None else more(conn, toolbox.now()))
            return with_sources(conn, toolbox, found)

    return standing_check


def with_sources(conn: psycopg.Connection, tools: Toolbox, found: dg.AssetCheckResult) -> dg.AssetCheckResult:
    """The result with the sources that were read and when; where it is green, its sentence names them."""
    read = watching.read_words(conn, tools.settings, tools.now())
    told = f"{found.description}; {read}" if found.passed else found.description
    return found._replace(description=told, metadata={**found.metadata, "read": dg.MetadataValue.text(read)})


def after_judging(key: dg.AssetKey) -> list[dg.AssetKey]:
    """What a check of open exceptions waits for: without it a check would speak of the run before."""
    return [] if key in (EXCEPTIONS, WATCH) else [EXCEPTIONS]


def judge_open(
    conn: psycopg.Connection, kinds: Sequence[str], more: Mapping[str, dg.MetadataValue] = MappingProxyType({})
) -> dg.AssetCheckResult:
    """The result for open exceptions of ``kinds``, with those that people waived beside it."""
    rows = exceptions.of_kinds(conn, kinds)
    at_risk: dict[str, int] = {}
    for row in rows:
        at_risk[row["currency"] or "GBP"] = at_risk.get(row["currency"] or "GBP", 0) + row["money_at_risk_pence"]
    is_error = any(row["severity"] == "error" for row in rows)
    told = f"{len(rows)} open, {_money(at_risk)} at risk" if rows else "nothing open"
    waivers = decisions.waivers(conn, kinds=kinds)
    waived = waived_words([(one.money_at_risk_pence, one.currency, [one.waived_by]) for one in waivers])
    return dg.AssetCheckResult(
        passed=not rows,
        severity=dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN,
        description="; ".join(filter(None, [told, waived])),
        metadata={
            "open": dg.MetadataValue.int(len(rows)),
            **{f"at_risk_pence_{currency}": dg.MetadataValue.int(pence) for currency, pence in sorted(at_risk.items())},
            "worst": as_table([_shown(row) for row in rows[:WORST_ROWS]]),
            **more,
        },
    )


def _shown(row: Mapping[str, Any]) -> dict[str, str]:
    """A row as its owner wants to see it, from left to right."""
    currency, gap = row["currency"] or "GBP", row["gap_pence"]
    return {
        "rma": row["subject"],
        "owner": row["owner"],
        "gap": "" if gap is None else format_money(gap, currency),
        "at_risk": format_money(row["money_at_risk_pence"], currency),
        "what": f"{row['message']} (perhaps: {row['suggestion']})" if row["suggestion"] else row["message"],
        "what_to_do": KINDS[row["kind"]].action,
        "kind": row["kind"],
        "since": f"{row['opened_at']:%Y-%m-%d}",
    }


def _money(at_risk: dict[str, int]) -> str:
    return ", ".join(format_money(pence, currency) for currency, pence in sorted(at_risk.items())) or "nothing"


def described(proves: str, kinds: Sequence[str]) -> str:
    """What a check proves when it is green, and what each of its kinds asks for when it is red."""
    lines = [f"- **{kind}** ({KINDS[kind].owner}): {KINDS[kind].meaning} {KINDS[kind].action}" for kind in kinds]
    return "\n".join([proves, "", "When red:", *lines])
