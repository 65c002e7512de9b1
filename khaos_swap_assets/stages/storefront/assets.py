"""The asset of the money, what the storefront paid back; its check, and the money of a month in words.

Belongs here: ``storefront/refunds``, ``storefront/variants`` and what is shown of them. Stays out: the work (``sync``)
and the rules (``domain``).
Source: FINANCE_RULES U-1, U-14, U-16, U-18.
"""

from collections.abc import Sequence
from dataclasses import asdict

import dagster as dg

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import Conn, refunds
from khaos_swap_assets.domain.exceptions.catalogue import kinds_about
from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets.domain.refunds.payments import ForeignTotal, foreign_totals
from khaos_swap_assets.domain.refunds.proof import CLOSED_IN_FORCE
from khaos_swap_assets.domain.reporting.tables import turned_table
from khaos_swap_assets.stages.checking import StandingCheck, described, exceptions_check, judge_open
from khaos_swap_assets.stages.presenting import asset, owned, result
from khaos_swap_assets.stages.storefront.sync import read_variants, sync_refunds
from khaos_swap_assets.stages.toolbox import Toolbox

NOT_CONNECTED = (
    "No storefront is connected. A refund counts as confirmed when Swap says that it was processed, which does not "
    "prove that money moved. Set KHAOS_SWAP_STOREFRONT_URL to have every refund witnessed."
)


@asset(
    "storefront/refunds",
    deps="swap/returns swap/return_lines",
    **owned("storefront", "finance", "storefront", "shopify"),
    op_tags={"vendor": "storefront"},
    description="Every refund as last read from the storefront, with what its payments moved, when, and the return "
    "that it pays. Money is in minor units of the customer's currency, times are UTC. Where connected, the day the "
    "money moved is the date of the refund; where not, Swap's word stands and this says so.",
)
def storefront_refunds(toolbox: dg.ResourceParam[Toolbox]) -> dg.MaterializeResult[None]:
    """Read what changed and link it."""
    synced = sync_refunds(toolbox)
    if not toolbox.settings.connected:
        return dg.MaterializeResult(metadata={"connected": False, "witness": dg.MetadataValue.md(NOT_CONNECTED)})
    return result(toolbox, {"connected": True, **asdict(synced)}, "storefront.refunds", "changed_at")


@asset(
    "storefront/variants",
    **owned("storefront", "data_management", "storefront", "shopify"),
    op_tags={"vendor": "storefront"},
    description="Every variant that the connected shop lists, with its SKU as it is spelled there: read whole, once a "
    "night, so that a code that can never come back is mended before it is sold.",
)
def storefront_variants(toolbox: dg.ResourceParam[Toolbox]) -> dg.MaterializeResult[None]:
    """Read them when a night has passed."""
    read = read_variants(toolbox)
    return dg.MaterializeResult(metadata={"connected": bool(toolbox.settings.connected), **asdict(read)})


CONNECTED = "The storefront's payments are the witness: each was read with its date, amount and means of payment."
PROVES = (
    "Where a storefront is connected: every refund that Swap shows moved exactly its money, once, in its currency, and "
    "no money moved without a return. Where none is connected it proves nothing and says so."
)


def _judge(conn: Conn, tools: Toolbox) -> dg.AssetCheckResult:
    """Count what is open between Swap and the money."""
    is_connected = bool(tools.settings.connected)
    shown = {
        "connected": dg.MetadataValue.bool(is_connected),
        "witness": dg.MetadataValue.md(CONNECTED if is_connected else NOT_CONNECTED),
    }
    found = judge_open(conn, kinds_about("money"), shown)
    return found if is_connected else found._replace(description=f"no storefront is connected; {found.description}")


every_refund_moved_money = StandingCheck(
    "storefront/refunds", "every_refund_moved_money", described(PROVES, kinds_about("money")), _judge
)

no_refund_restocks_the_shop = exceptions_check(
    "no_refund_restocks_the_shop",
    "storefront/refunds",
    ["storefront_restocked"],
    "No refund that pays a return put units into the storefront's own stock, which Khaos puts back too, or nobody had "
    "found sellable. Without a storefront nobody says what was restocked, and it proves nothing.",
)

ASSETS = [storefront_refunds, storefront_variants]
CHECKS = [every_refund_moved_money, no_refund_restocks_the_shop]


HEAD = """\
Witnessed by the storefront: a refund belongs to the month in which its money moved.

| currency | means of payment | payments | moved | of it without a return |
|---|---|---:|---:|---:|
"""


def money_of_month(conn: Conn, settings: Settings, period: str) -> str:
    """Markdown: payments that went through in the month ('2026-03'), by means of payment, gift cards apart."""
    rule = f"\n\n{CLOSED_IN_FORCE}" if settings.refund_proof == "closed" else ""
    if not settings.connected:
        return NOT_CONNECTED + rule
    rows = refunds.moved_in_month(conn, period)
    lines = (
        f"| {currency} | {gateway or '(none named)'} | {count} | {format_money(pence, currency)} | "
        f"{format_money(loose, currency)} |\n"
        for currency, gateway, count, pence, loose in rows
    )
    return HEAD + "".join(lines) + _foreign(foreign_totals(refunds.foreign_in_month(conn, period))) + rule


FOREIGN_HEAD = """
Paid in another currency than the shop's; VAT is reduced at the rate of the sale, and the rest is a gain or a loss.

"""
FOREIGN = ("currency", "moved", "at the rate of the sale", "paid by the shop", "exchange loss", "VAT at that rate")


def _foreign(totals: Sequence[ForeignTotal]) -> str:
    """Markdown: what refunds in other currencies cost beside their sales; nothing where there are none."""
    rows = []
    for one in totals:
        amounts = (one.at_sale_pence, one.shop_pence, one.loss_pence, one.vat_pence)
        told = ["not known" if pence is None else format_money(pence, one.shop_currency) for pence in amounts]
        rows.append((one.currency, format_money(one.pence, one.currency), *told))
    return FOREIGN_HEAD + turned_table(FOREIGN, rows) if rows else ""
