"""Assets of the return: what Swap holds, and what each line is in Khaos; and the checks that stand on them.

Belongs here: ``swap/returns``, ``swap/return_lines``, ``matched/return_lines``, ``reconciliation/open_returns`` and
what they show, and ``warehouse/inspections``, which the gateway fills. Stays out: work (``sync``, ``matching``,
``foreseeing``) and rules (``domain``).
"""

from collections.abc import Iterator
from dataclasses import asdict

import dagster as dg

from khaos_swap_assets.adapters.store import Conn, exceptions, proofs, return_causes, returns
from khaos_swap_assets.domain.exceptions.catalogue import KINDS, Problem
from khaos_swap_assets.domain.judging.foreseen import KIND, ReturnCause, summary
from khaos_swap_assets.domain.judging.money_conditions import CLOSED, CREDITED
from khaos_swap_assets.domain.money.amounts import money_words
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.refunds.proof import NUMBERS_DAYS
from khaos_swap_assets.domain.reporting.month_open import waiting_rows
from khaos_swap_assets.stages.checking import exceptions_check
from khaos_swap_assets.stages.presenting import WORST_ROWS, as_table, asset, of_merchant, owned, result, table_metadata
from khaos_swap_assets.stages.returns.foreseeing import foresee
from khaos_swap_assets.stages.returns.matching import match_waiting
from khaos_swap_assets.stages.returns.sync import sync_returns
from khaos_swap_assets.stages.toolbox import Toolbox

RETURNS = dg.AssetKey(["swap", "returns"])
LINES = dg.AssetKey(["swap", "return_lines"])
INSPECTIONS = dg.AssetKey(["warehouse", "inspections"])

inspections = dg.AssetSpec(
    INSPECTIONS,
    **owned("returns", "operations", "warehouse"),
    description="What the warehouse found, unit by unit, as its benches post it to the gateway (`POST /inspections`). "
    "No run makes it. The warehouse is the truth for the condition of goods.",
)


@dg.multi_asset(
    name="swap_returns",
    specs=[
        dg.AssetSpec(
            RETURNS,
            **owned("returns", "cx", "swap", "swap"),
            description="Every Return (RMA) as last read from Swap, one row each. Swap is the truth for the customer's "
            "return. Money is in minor units of the return's currency, times are UTC.",
        ),
        dg.AssetSpec(
            LINES,
            deps=[RETURNS],
            **owned("returns", "cx", "swap", "swap"),
            description="Every returned product row with its raw SKU, quantity, cost and outcome.",
        ),
    ],
    op_tags={"vendor": "swap"},
)
def swap_returns(toolbox: dg.ResourceParam[Toolbox]) -> Iterator[dg.MaterializeResult[None]]:
    """Read what changed in Swap; both tables change in one transaction."""
    synced = sync_returns(toolbox)
    with toolbox.store() as conn:
        yield dg.MaterializeResult(
            asset_key=of_merchant(RETURNS, toolbox.settings.merchant),
            metadata={
                "read": synced.read,
                "changed": len(synced.changed),
                "unreadable": synced.unreadable,
                "knocks": synced.knocks,
                "is_drifted": synced.is_drifted,
                **table_metadata(conn, "swap.returns", "changed_at"),
            },
        )
        yield dg.MaterializeResult(
            asset_key=of_merchant(LINES, toolbox.settings.merchant),
            metadata={"changed": synced.lines, **table_metadata(conn, "swap.return_lines", "return_id")},
        )


@asset(
    "matched/return_lines",
    deps="people/decisions swap/returns swap/return_lines warehouse/inspections khaos/stock_codes khaos/sales_orders "
    "khaos/credit_notes",
    **owned("matching", "data_management", "ours"),
    description="Each return line with its Stock Code, its Sales Order line and where its units went. Only an exact "
    "match acts; a miss is a row with a reason and a suggestion, and holds back only its own return.",
)
def matched_return_lines(toolbox: dg.ResourceParam[Toolbox]) -> dg.MaterializeResult[None]:
    """Match every return in line."""
    return result(toolbox, asdict(match_waiting(toolbox)), "recon.matched_lines", "return_id")


@asset(
    "reconciliation/open_returns",
    deps="swap/returns matched/return_lines khaos/stock_codes khaos/sales_orders storefront/variants "
    "reconciliation/returns reconciliation/exceptions people/decisions",
    **owned("matching", "data_management", "ours"),
    description="Which open returns will fail when their parcels land, by cause: codes, packs, VAT codes, orders. Once "
    "a night also what was sold lately and what the shop lists. One cause is one exception, and closes by proof.",
)
def open_returns(toolbox: dg.ResourceParam[Toolbox]) -> dg.MaterializeResult[None]:
    """Look ahead, and tell data management of new causes in one message."""
    found = foresee(toolbox)
    toolbox.alert([Problem(KIND, "returns to come", summary(found.returns, found.causes))] if found.opened else [])
    return dg.MaterializeResult(
        metadata={
            "summary": summary(found.returns, found.causes),
            "will_fail": found.returns,
            "causes": len(found.causes),
            "looked_at_everything": found.is_nightly,
            "opened": len(found.opened),
            "closed": found.closed,
            "by_cause": as_table([cause_row(one) for one in found.causes[:WORST_ROWS]]),
        }
    )


def cause_row(one: ReturnCause) -> dict[str, object]:
    """A cause as its owner reads it."""
    return {
        "cause": one.name,
        "owner": one.owner,
        "why": one.why,
        "perhaps": one.suggestion,
        "returns": one.returns,
        "sold": one.sold,
        "listed": one.listed,
        "what": one.holds,
    }


SKUS = ("sku_unknown", "sku_ambiguous", "sku_discontinued")


def fix_first(conn: Conn) -> list[dict[str, object]]:
    """The SKUs that hold back most returns: mended once in Khaos or the shop, all of these go on by themselves."""
    return [
        {
            "SKU": one.sku,
            "returns": one.returns,
            "at_risk": money_words(one.pence, one.currency),
            "perhaps": one.suggestion,
            "why": KINDS[one.kind].words,
            "since": one.since.date(),
        }
        for one in exceptions.sku_causes(conn, SKUS, WORST_ROWS)
    ]


CHECKS = [
    exceptions_check(
        "no_code_will_fail",
        "reconciliation/open_returns",
        [KIND],
        "No code of an open return, of a late sale or of what the shop lists will make a return fail.",
        lambda conn, _: {"causes": as_table([cause_row(one) for one in return_causes.known(conn, WORST_ROWS)])},
    ),
    exceptions_check(
        "every_closed_return_was_paid",
        "swap/returns",
        [CLOSED, CREDITED],
        "Every return that Swap closed with a value is shown as paid. The numbers say which fields such returns carry.",
        lambda conn, _: {"carried": dg.MetadataValue.text(str(proofs.carried(conn, NUMBERS_DAYS)))},
    ),
    exceptions_check(
        "every_return_is_readable",
        "swap/returns",
        ["record_unreadable"],
        "Every row that Swap or Khaos sent could be read.",
    ),
    exceptions_check(
        "every_sku_has_one_stock_code",
        "matched/return_lines",
        SKUS,
        "Every refunded SKU is exactly one live Stock Code.",
        lambda conn, _: {"fix_first": as_table(fix_first(conn))},
    ),
    exceptions_check(
        "every_return_has_its_sales_order",
        "matched/return_lines",
        [
            "order_not_found",
            "order_ambiguous",
            "order_not_invoiced",
            "customer_unknown",
            "over_return",
            "pack_unclear",
            "currency_mismatch",
        ],
        "Every refunded return has one invoiced Sales Order of a known customer, which sold what came back.",
    ),
    exceptions_check(
        "no_customer_waits_too_long",
        "swap/returns",
        ["refund_unconfirmed_too_long", "return_status_unknown"],
        "No return that arrived is without its refund past the limit.",
        lambda conn, now: {"waiting": as_table(waiting_rows(returns.waiting(conn), london_date(now))[:WORST_ROWS])},
    ),
]
