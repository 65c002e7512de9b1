"""Checks of the return: readable, and every SKU one Stock Code.

Belongs here: standing checks on the assets of this stage. Stays out: the conditions (``judging.conditions``).
"""

import dagster as dg

from khaos_swap_assets.adapters.store import proofs
from khaos_swap_assets.domain.judging.proof_conditions import CLOSED, CREDITED
from khaos_swap_assets.domain.refunds.proof import NUMBERS_DAYS
from khaos_swap_assets.stages.checking import exceptions_check

every_return_is_readable = exceptions_check(
    "every_return_is_readable",
    "swap/returns",
    ["record_unreadable"],
    "Every row that Swap or Khaos sent could be read.",
)
every_sku_has_one_stock_code = exceptions_check(
    "every_sku_has_one_stock_code",
    "matched/return_lines",
    ["sku_unknown", "sku_ambiguous", "sku_discontinued"],
    "Every refunded SKU is exactly one live Stock Code.",
)
every_return_has_its_sales_order = exceptions_check(
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
)
no_customer_waits_too_long = exceptions_check(
    "no_customer_waits_too_long",
    "swap/returns",
    ["refund_unconfirmed_too_long", "return_status_unknown"],
    "No return that arrived is without its refund past the limit.",
)

every_closed_return_was_paid = exceptions_check(
    "every_closed_return_was_paid",
    "swap/returns",
    [CLOSED, CREDITED],
    "Every return that Swap closed with a value is shown as paid. The numbers say which fields such returns carry.",
    lambda conn: {"carried": dg.MetadataValue.text(str(proofs.carried(conn, NUMBERS_DAYS)))},
)

CHECKS = [
    every_closed_return_was_paid,
    every_return_is_readable,
    every_sku_has_one_stock_code,
    every_return_has_its_sales_order,
    no_customer_waits_too_long,
]
