"""Standing checks: sentences that are true when green, with an exact count, the money at risk and what to do.

Belongs here: what a check is, the one way to build one on open exceptions so that all of them read alike, and the step
that judges them all. Stays out: the conditions (``judging.conditions``). The table shows the worst 20; the count is
exact.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

import dagster as dg

from khaos_swap_assets.adapters.errors import KhaosSwapError
from khaos_swap_assets.adapters.store import Conn, decisions, exceptions
from khaos_swap_assets.domain.exceptions.catalogue import KINDS
from khaos_swap_assets.domain.money.amounts import format_money, money_words
from khaos_swap_assets.domain.reporting.month_open import waived_words
from khaos_swap_assets.stages import watching
from khaos_swap_assets.stages.isolating import Faults
from khaos_swap_assets.stages.presenting import WORST_ROWS, as_table, keys
from khaos_swap_assets.stages.toolbox import Toolbox

More = Callable[[Conn, datetime], Mapping[str, Any]]
Judge = Callable[[Conn, Toolbox], dg.AssetCheckResult]
WATCH = "reconciliation/watch"
EXCEPTIONS = "reconciliation/exceptions"
NOT_WAITING = (EXCEPTIONS, WATCH)


@dataclass(frozen=True)
class StandingCheck:
    """A check of an asset, what green means and what to do when red, and its judge, which asks our own tables alone."""

    asset: str
    name: str
    description: str
    judge: Judge

    def spec(self, merchant: str = "") -> dg.AssetCheckSpec:
        """As Dagster shows it; in a run that also judges returns it waits for that."""
        (key,) = keys(self.asset, merchant)
        waits_for = [] if self.asset in NOT_WAITING else keys(EXCEPTIONS, merchant)
        return dg.AssetCheckSpec(self.name, asset=key, description=self.description, additional_deps=waits_for)

    def judged(self, conn: Conn, tools: Toolbox) -> dg.AssetCheckResult:
        """The verdict now, with the sources that it rests on."""
        with conn.transaction():
            found = with_sources(conn, tools, self.judge(conn, tools))
        return found._replace(asset_key=keys(self.asset, tools.settings.merchant)[0], check_name=self.name)


def judged_together(checks: Sequence[StandingCheck], merchant: str = "") -> dg.AssetChecksDefinition:
    """All these checks as one step; a fault in one leaves the others their verdict and fails the step after them."""
    specs = [check.spec(merchant) for check in checks]
    by_key = {spec.key: check for spec, check in zip(specs, checks, strict=True)}

    @dg.multi_asset_check(name="verdicts", specs=specs, can_subset=True)
    def verdicts(
        context: dg.AssetCheckExecutionContext, toolbox: dg.ResourceParam[Toolbox]
    ) -> Iterator[dg.AssetCheckResult]:
        yield from judge_all([by_key[key] for key in by_key if key in context.selected_asset_check_keys], toolbox)

    return verdicts


def judge_all(checks: Sequence[StandingCheck], tools: Toolbox) -> Iterator[dg.AssetCheckResult]:
    """The verdicts one by one. Raises ``KhaosSwapError`` at the end, naming each check that could not be judged."""
    faults = Faults("the check")
    with tools.store() as conn:
        for check in checks:
            yield from faults.tried(check.name, check.judged, conn, tools)
    if faults.found:
        told = "; ".join(f"{name}: {reason}" for name, reason in faults.found.items())
        raise KhaosSwapError(f"not judged, each keeps its last verdict: {told}")


def exceptions_check(
    name: str, asset: str, kinds: Sequence[str], proves: str, more: More | None = None
) -> StandingCheck:
    """A check that is green while none of ``kinds`` is open; ``proves`` says what green means, ``more`` adds to it."""

    def judge(conn: Conn, tools: Toolbox) -> dg.AssetCheckResult:
        return judge_open(conn, kinds, {} if more is None else more(conn, tools.now()))

    return StandingCheck(asset, name, described(proves, kinds), judge)


def with_sources(conn: Conn, tools: Toolbox, found: dg.AssetCheckResult) -> dg.AssetCheckResult:
    """The result with the sources that were read and when; where it is green, its sentence names them."""
    read = watching.read_words(conn, tools.settings, tools.now())
    told = f"{found.description}; {read}" if found.passed else found.description
    return found._replace(description=told, metadata={**found.metadata, "read": dg.MetadataValue.text(read)})


def judge_open(conn: Conn, kinds: Sequence[str], more: Mapping[str, Any] = MappingProxyType({})) -> dg.AssetCheckResult:
    """The result for open exceptions of ``kinds``, with those that people waived beside it."""
    found = exceptions.sums(conn, kinds)
    count = sum(one.count for one in found)
    money = ", ".join(format_money(one.pence, one.currency) for one in found)
    told = f"{count} open, {money} at risk" if count else "nothing open"
    waivers = decisions.waivers(conn, kinds=kinds)
    waived = waived_words([(one.money_at_risk_pence, one.currency, [one.waived_by]) for one in waivers])
    return dg.AssetCheckResult(
        passed=not count,
        severity=dg.AssetCheckSeverity.ERROR if any(one.errors for one in found) else dg.AssetCheckSeverity.WARN,
        description="; ".join(filter(None, [told, waived])),
        metadata={
            "open": dg.MetadataValue.int(count),
            **{f"at_risk_pence_{one.currency}": dg.MetadataValue.int(one.pence) for one in found},
            "worst": as_table([_shown(row) for row in exceptions.worst(conn, kinds, WORST_ROWS)]),
            **more,
        },
    )


def to_do(row: Mapping[str, Any]) -> dict[str, str]:
    """An open exception in few words: which return or note, the money, whose turn it is, and what they do first."""
    kind = KINDS[row["kind"]]
    return {
        "rma": row["rma"] or row["subject"],
        "at_risk": money_words(row["money_at_risk_pence"], row["currency"]),
        "owner": row["owner"],
        "what_to_do": f"{kind.words}: {kind.first_step}",
    }


def _shown(row: Mapping[str, Any]) -> dict[str, str]:
    """A row as its owner wants to see it, from left to right."""
    kind = KINDS[row["kind"]]
    perhaps = f" (perhaps: {row['suggestion']})" if row["suggestion"] else ""
    return {
        **to_do(row),
        "what": f"{row['message']}{perhaps}; open since {row['opened_at']:%Y-%m-%d}",
        "what_to_do": f"{kind.words}: {kind.action}",
    }


def described(proves: str, kinds: Sequence[str]) -> str:
    """What a check proves when it is green, and what each of its kinds asks for when it is red."""
    lines = [f"- **{kind}** ({KINDS[kind].owner}): {KINDS[kind].meaning} {KINDS[kind].action}" for kind in kinds]
    return "\n".join([proves, "", "When red:", *lines])
