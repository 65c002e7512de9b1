"""The check of the money: every refund that Swap shows moved it, and no money moved that Swap does not show.

Belongs here: the standing check on ``storefront/refunds``. Stays out: the conditions (``judging.money_conditions``).
"""

import dagster as dg

from khaos_swap_assets.domain.exceptions.kinds import ExceptionKind
from khaos_swap_assets.domain.exceptions.money_kinds import MONEY_KINDS
from khaos_swap_assets.stages.checking import after_judging, judge_open
from khaos_swap_assets.stages.storefront.assets import NOT_CONNECTED, REFUNDS
from khaos_swap_assets.stages.toolbox import Toolbox

CONNECTED = "The storefront's payments are the witness: each was read with its date, amount and means of payment."
PROVES = (
    "Where a storefront is connected: every refund that Swap shows moved exactly its money, once, in its currency, and "
    "no money moved without a return. Where none is connected it proves nothing and says so."
)


def _line(kind: ExceptionKind) -> str:
    return f"- **{kind.kind}** ({kind.owner}): {kind.meaning} {kind.action}"


@dg.asset_check(
    asset=REFUNDS,
    name="every_refund_moved_money",
    description="\n".join([PROVES, "", "When red:", *map(_line, MONEY_KINDS)]),
    additional_deps=after_judging(REFUNDS),
)
def every_refund_moved_money(toolbox: dg.ResourceParam[Toolbox]) -> dg.AssetCheckResult:
    """Count what is open between Swap and the money."""
    is_connected = toolbox.settings.storefront.is_connected
    with toolbox.store() as conn:
        found = judge_open(conn, [kind.kind for kind in MONEY_KINDS])
    return dg.AssetCheckResult(
        passed=found.passed,
        severity=found.severity,
        description=found.description if is_connected else f"no storefront is connected; {found.description}",
        metadata={
            **found.metadata,
            "connected": is_connected,
            "witness": dg.MetadataValue.md(CONNECTED if is_connected else NOT_CONNECTED),
        },
    )


CHECKS = [every_refund_moved_money]
