"""Reading the payouts of Shopify Payments and what each is made of.

Belongs here: their fields, and asking for the lines of those alone that say something new. Stays out: paging and errors
(``client``) and which refund a line is (``domain.payouts``).
Fields as Shopify documents them for the Admin GraphQL API, version 2026-10: ``ShopifyPaymentsPayout`` (net, issuedAt,
status, transactionType) and ``ShopifyPaymentsBalanceTransaction`` (amount, fee, net, type, test, associatedPayout,
associatedOrder, sourceOrderTransactionId). Labels: the sign of a withdrawal's net is not documented, so its size counts
as money taken; the search word ``payments_transfer_id`` is known from use, not from the reference, so that each line
must name the payout that was asked for. A type is kept as it is spelled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from khaos_swap_assets.adapters import texts
from khaos_swap_assets.adapters.errors import PermanentError
from khaos_swap_assets.adapters.storefront import queries
from khaos_swap_assets.adapters.storefront.client import StorefrontClient
from khaos_swap_assets.adapters.storefront.records import PayoutSweep, ReadPayout
from khaos_swap_assets.adapters.storefront.wire import FieldReading, tail
from khaos_swap_assets.adapters.swap.raw import cleaned, content_hash
from khaos_swap_assets.adapters.swap.records import RowFault
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.payouts.records import Payout, PayoutLine
from khaos_swap_assets.domain.records.stores import qualified

PROVIDER = "shopify_payments"
"""The gateway of the payments that these payouts hold."""
ACCOUNT = "shopifyPaymentsAccount"
WITHDRAWAL = "WITHDRAWAL"
AT_FAULT = ""
"""The hash of a payout that could not be read whole: it is asked for again."""

Known = Callable[[str], str | None]
"""The hash by which a payout is known already; None for a new one."""


def payouts_since(shop: StorefrontClient, moment: datetime, known: Known) -> PayoutSweep:
    """Payouts issued at or after ``moment`` (aware) that are new or changed, each with its lines.

    What a further store numbers begins with its name (``records.stores``). A payout whose lines are refused loses
    itself alone. Raises ``VendorError`` where the list is not told.
    """
    read: list[ReadPayout] = []
    faults: list[RowFault] = []
    refused: dict[str, str] = {}
    seen: list[str] = []
    for node, issued_at in _issued(shop, moment, faults):
        hashed, payout_id = content_hash(node), qualified(shop.store, tail(node.get("id")))
        seen.append(payout_id)
        if known(payout_id) == hashed:
            continue
        try:
            found = _read(shop, node, issued_at)
        except PermanentError as error:
            refused[payout_id] = str(error)
            continue
        faults += found[1]
        if found[0]:
            read.append(ReadPayout(found[0], AT_FAULT if found[1] else hashed))
    return PayoutSweep(tuple(read), tuple(faults), tuple(seen), refused)


def _issued(
    shop: StorefrontClient, moment: datetime, faults: list[RowFault]
) -> list[tuple[Mapping[str, Any], datetime]]:
    """The payouts of the list, the newest first, down to the first that was issued before the moment."""
    found: list[tuple[Mapping[str, Any], datetime]] = []
    for page in shop.every_page(queries.PAYOUTS, ACCOUNT, "payouts"):
        for raw in page:
            node = cleaned(raw) if isinstance(raw, dict) else {}
            reading = FieldReading()
            issued_at = reading.moment(node, "issuedAt", "")
            if issued_at is None or not tail(node.get("id")):
                told = (*reading.faults, "holds no id and date that can be read")
                faults.append(
                    RowFault(subject_of(qualified(shop.store, tail(node.get("id")))), content_hash(node), told)
                )
            elif issued_at < moment:
                return found
            else:
                found.append((node, issued_at))
    return found


def _read(shop: StorefrontClient, node: Mapping[str, Any], issued_at: datetime) -> tuple[Payout | None, list[RowFault]]:
    """One payout with its lines, and what of it cannot be read; None where nothing of it can be kept."""
    reading, payout_id = FieldReading(), tail(node.get("id"))
    net, currency = reading.amount(node, "net")
    status = reading.key(node.get("status"), "status")
    is_taken = reading.key(node.get("transactionType"), "transactionType") == WITHDRAWAL
    if reading.faults:
        return None, [_fault(qualified(shop.store, payout_id), node, reading)]
    lines = {
        line.line_id: line
        for page in shop.every_page(
            queries.PAYOUT_LINES, ACCOUNT, "balanceTransactions", filter=f"payments_transfer_id:{payout_id}"
        )
        for raw in page
        if (line := _line(reading, cleaned(raw) if isinstance(raw, dict) else {}, payout_id, currency, shop.store))
    }
    total = -abs(net) if is_taken else net
    made = Payout(
        provider=PROVIDER, payout_id=qualified(shop.store, payout_id), paid_on=london_date(issued_at),
        currency=currency, total_pence=total, status=status, lines=tuple(lines.values()),
    )  # fmt: skip
    return made, [_fault(made.payout_id, node, reading)] if reading.faults else []


def _line(
    reading: FieldReading, node: Mapping[str, Any], payout_id: str, currency: str, store: str
) -> PayoutLine | None:
    """One balance transaction; one of a test is no money, one that cannot be read is a fault of the payout.

    Raises ``PermanentError`` where it is of another payout: then the list is not that of this one.
    """
    place, before = f"line {tail(node.get('id')) or '?'}.", len(reading.faults)
    payout, order = node.get("associatedPayout"), node.get("associatedOrder")
    told = tail(payout.get("id")) if isinstance(payout, dict) else ""
    if told != payout_id:
        raise PermanentError(f"its lines hold one of payout {told or '(none)'}: nothing of it was taken")
    (gross, of_gross), (fee, of_fee), (net, of_net) = (
        reading.amount(node, name, place) for name in ("amount", "fee", "net")
    )
    name = reading.key(order.get("name"), place + "associatedOrder.name") if isinstance(order, dict) else ""
    line = PayoutLine(
        line_id=reading.number(node, "id", place),
        kind=reading.key(node.get("type"), place + "type"),
        gross_pence=gross,
        fee_pence=fee,
        transaction_id=tail(node.get("sourceOrderTransactionId")),
        order_ref=qualified(store, name),
    )
    if len(reading.faults) == before and {of_gross, of_fee, of_net} != {currency}:
        reading.fault(place + "amount", f"is not in {currency} as its payout is")
    elif len(reading.faults) == before and net != line.net_pence:
        reading.fault(place + "net", "is not its amount less its fee")
    return line if len(reading.faults) == before and node.get("test") is not True else None


def _fault(payout_id: str, node: Mapping[str, Any], reading: FieldReading) -> RowFault:
    return RowFault(subject_of(payout_id), content_hash(node), tuple(dict.fromkeys(reading.faults)))


def subject_of(payout_id: str) -> str:
    """How a fault names a payout."""
    return texts.subject(f"payout {payout_id}")
