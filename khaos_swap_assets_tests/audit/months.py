"""A merchant's month as files, with the truth about every Credit Note: what staff posted for which return, and how.

Nothing here knows the product: the files are written from the columns that the documentation names. Few Stock Codes
at few prices, few customers, several returns of one order, and RMAs next to each other, so that much looks alike and
a slip of two digits names another return. ``Month.truth`` has the returns of each note (none: an orphan),
``Month.legs`` the pence of each cause that was put between a return and its notes.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

AS_OF = date(2026, 4, 2)
PRICES = (999, 1499, 2499, 2499, 2999, 4999, 5999)
FILES = {
    "stock": "stock_code stock_id description other_ref barcode discontinued pack_components",
    "orders": "order_ref so_code customer_ref ordered_at currency line_ref stock_code quantity unit_price_gross "
    "vat_rate discount_gross delivery_gross invoiced_on",
    "notes": "credit_note_code associated_ref order_ref customer_ref created_on currency stock_code quantity gross net "
    "delivery_gross",
    "refunds": "refund_id order_ref return_id refunded_at currency amount gateway status",
}


@dataclass
class Item:
    """One line of a return: ``paid`` is the pence of the whole line, ``listed`` those before any discount."""

    code: str
    units: int
    paid: int
    listed: int
    rate: int
    outcome: str = "Refund"


@dataclass
class Claim:
    """One return: what came back, what it refunded and how; ``cash`` is what moved, ``swap`` what Swap says."""

    id: str
    rma: str
    order: str
    customer: str
    currency: str
    day: date
    items: list[Item]
    delivery: int
    kind: str = "refund"
    fee: int = 0
    credit: int = 0
    swaps: list[int] = field(default_factory=list)
    is_done: bool = True

    @property
    def goods(self) -> int:
        """What the returned goods are worth."""
        return sum(item.paid for item in self.items)

    @property
    def is_fresh(self) -> bool:
        """True while a Credit Note need not be there: two days from the refund are not over on the audit's day."""
        return self.day > AS_OF - timedelta(days=2)

    @property
    def cash(self) -> int:
        """What went back in money."""
        return max(self.goods - self.fee - self.credit - sum(self.swaps), 0) if self.is_done else 0


@dataclass
class Month:
    """The rows of the files and the truth about them."""

    claims: list[Claim] = field(default_factory=list)
    orders: list[dict[str, Any]] = field(default_factory=list)
    stock: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    refunds: list[dict[str, Any]] = field(default_factory=list)
    truth: dict[str, set[str]] = field(default_factory=dict)
    slips: dict[str, str] = field(default_factory=dict)
    slip_of: dict[str, str] = field(default_factory=dict)
    legs: dict[str, Counter[str]] = field(default_factory=dict)
    drops: Sequence[str] = ()


def text(pence: int) -> str:
    """Pence as the files write money."""
    return f"{pence // 100}.{pence % 100:02d}"


def net(gross: int, rate: int) -> int:
    """Net in whole pence, half up."""
    return (gross * 200 + 100 + rate) // (2 * (100 + rate))


def a_month(seed: int, size: int = 120, *, has_refunds: bool = False, drops: Sequence[str] = ()) -> Month:
    """A month of about ``size`` returns. ``drops`` names columns that the Credit Notes do not have."""
    random, month = Random(seed), Month(drops=drops)
    shelf = _shelf(random, month)
    while len(month.claims) < size:
        _order(random, month, shelf, len(month.claims))
    from khaos_swap_assets_tests.audit.slips import post_all

    post_all(random, month)
    if has_refunds:
        _money(random, month)
    for rows in (month.notes, month.orders, month.claims, month.refunds):
        random.shuffle(rows)
    return month


def _shelf(random: Random, month: Month) -> dict[str, tuple[int, int]]:
    """Stock Codes with price and VAT rate; one in ten is gone from the range, the last is a pack of two."""
    shelf = {f"S{number:02d}": (random.choice(PRICES), random.choice((20, 20, 20, 0))) for number in range(16)}
    shelf["PACK"] = (shelf["S00"][0] + shelf["S01"][0], 20)
    for code in shelf:
        gone = "yes" if random.random() < 0.1 else "no"
        parts = "S00:1;S01:1" if code == "PACK" else ""
        month.stock.append({"stock_code": code, "discontinued": gone, "pack_components": parts})
    return shelf


def _order(random: Random, month: Month, shelf: dict[str, tuple[int, int]], number: int) -> None:
    """An order, sometimes the twin of one before, and the one or two returns of it."""
    customer = f"C{random.randrange(25)}"
    name, currency = str(10_400 + len(month.orders)), random.choice(("GBP",) * 6 + ("EUR",))
    delivery = random.choice((0, 395, 395, 795))
    chosen = random.sample(sorted(shelf), random.choice((1, 1, 2, 3)))
    items = [_item(random, code, *shelf[code]) for code in chosen]
    day = date(2026, 3, 1) + timedelta(days=random.randrange(28))
    for line, item in enumerate(items):
        month.orders.append(_order_row(name, customer, currency, day, line, item, delivery))
    parts = [items] if len(items) == 1 or random.random() < 0.6 else [items[:1], items[1:]]
    for part in parts:
        claim = _claim(random, len(month.claims), name, customer, currency, day, part, delivery)
        month.claims.append(claim)
    if random.random() < 0.12:
        _order_like(random, month, month.claims[-1])


def _item(random: Random, code: str, price: int, rate: int) -> Item:
    units = random.choice((1, 1, 1, 2))
    listed = price * units
    off = random.choice((0, 0, 0, listed // 10))
    return Item(code, units, listed - off, listed, rate)


def _order_row(
    name: str, customer: str, currency: str, day: date, line: int, item: Item, delivery: int
) -> dict[str, Any]:
    return {
        "order_ref": f"KCC{name}",
        "so_code": f"SO{name}",
        "customer_ref": customer,
        "ordered_at": f"{day - timedelta(days=30)}T10:00:00Z",
        "currency": currency,
        "line_ref": f"{name}-{line}",
        "stock_code": item.code,
        "quantity": item.units,
        "unit_price_gross": text(item.listed // item.units),
        "vat_rate": item.rate,
        "discount_gross": text(item.listed - item.paid) if item.listed > item.paid else "",
        "delivery_gross": text(delivery) if delivery else "",
        "invoiced_on": day - timedelta(days=29),
    }


def _claim(
    random: Random, number: int, name: str, customer: str, currency: str, day: date, items: list[Item], delivery: int
) -> Claim:
    rma = f"RMA{2000 + number}"
    claim = Claim(f"ret_{7 * number + 13}", rma, name, customer, currency, day, items, delivery)
    kinds = ("refund",) * 12 + ("fee", "tender", "store_credit", "exchange", "exchange_down", "open", "fresh", "ended")
    claim.kind = random.choice(kinds)
    if claim.kind == "fee":
        claim.fee = 295
    elif claim.kind == "tender":
        claim.credit = claim.goods // 3
    elif claim.kind == "store_credit":
        claim.credit = claim.goods
        _turn(claim, "Store Credit")
    elif claim.kind in ("exchange", "exchange_down"):
        claim.swaps = [claim.goods if claim.kind == "exchange" else claim.goods // 2]
        _turn(claim, "Exchange")
    elif claim.kind == "fresh":
        claim.day = AS_OF - timedelta(days=random.randrange(2))
    claim.is_done = claim.kind not in ("open", "ended")
    return claim


def _turn(claim: Claim, outcome: str) -> None:
    for item in claim.items:
        item.outcome = outcome


def _order_like(random: Random, month: Month, other: Claim) -> None:
    """Another order of the same customer, the same goods and the same value, refunded near the same day.

    Its refund is never later than the day of the audit, and as fresh as its day says.
    """
    name = str(10_400 + len(month.orders))
    items = [Item(item.code, item.units, item.paid, item.listed, item.rate) for item in other.items]
    day = min(other.day + timedelta(days=random.randrange(3)), AS_OF)
    for line, item in enumerate(items):
        row = _order_row(name, other.customer, other.currency, day, line, item, other.delivery)
        month.orders.append(row)
    number = len(month.claims)
    twin = Claim(f"ret_{7 * number + 13}", f"RMA{2000 + number}", name, other.customer, other.currency, day, items, 0)
    month.claims.append(twin)


def _money(random: Random, month: Month) -> None:
    """The refunds file: most by return id, some by order only; some in two parts, with failed tries beside them."""
    of_order = Counter(claim.order for claim in month.claims)
    for claim in month.claims:
        is_named = of_order[claim.order] > 1 or random.random() < 0.8
        parts = [claim.cash // 2, claim.cash - claim.cash // 2] if random.random() < 0.1 else [claim.cash]
        moves = [(part, "shopify_payments", "success") for part in parts if part]
        moves += [(claim.credit, "gift_card", "success")] if claim.credit and claim.is_done else []
        moves += [(claim.cash, "shopify_payments", random.choice(("failed", "pending")))] * (random.random() < 0.1)
        for amount, gateway, status in moves:
            month.refunds.append(
                {
                    "refund_id": f"rf{len(month.refunds)}",
                    "order_ref": f"#{claim.order}",
                    "return_id": claim.id if is_named else "",
                    "refunded_at": f"{claim.day}T12:00:00Z",
                    "currency": claim.currency,
                    "amount": text(amount),
                    "gateway": gateway,
                    "status": status,
                }
            )


def swap_return(claim: Claim) -> dict[str, Any]:
    """The return as Swap's API shows it; the fee of every second one stands at its label alone."""
    of_return, of_label = (0, claim.fee) if int(claim.rma[3:]) % 2 else (claim.fee, 0)
    done = f"{claim.day}T12:00:00Z" if claim.is_done else ""
    status = {"open": "Open", "ended": "Cancelled"}.get(claim.kind, "Closed")
    outcomes = sorted({item.outcome for item in claim.items})
    return {
        "rma_number": claim.rma,
        "return_id": claim.id,
        "shopify_order_name": f"#{claim.order}",
        "order_id": f"55{claim.order}",
        "date_created": f"{claim.day - timedelta(days=9)}T08:00:00Z",
        "date_updated": f"{claim.day}T12:00:00Z",
        "type_string": ",".join(outcomes),
        "type": outcomes,
        "delivery_status": "Delivered",
        "return_status": status,
        "handling_fee": of_return / 100,
        "store_id": "st_1",
        "customer_currency": claim.currency,
        "total_refund_value_customer_currency": claim.cash / 100,
        "total_store_credit_value_customer_currency": claim.credit / 100,
        "total_additional_payment": 0,
        "rma_processed": done,
        "date_closed": done,
        "return_shipments": [{"postage_fee": of_label / 100}],
        "products": [_product(claim, number, item) for number, item in enumerate(claim.items)],
        "exchange_items": [
            {"sku": "NEW", "quantity": 1, "price": pence / 100, "taxes": 0, "discount": 0} for pence in claim.swaps
        ],
    }


def _product(claim: Claim, number: int, item: Item) -> dict[str, Any]:
    return {
        "product_id": f"{claim.id}-{number}",
        "shopify_line_item_id": f"{claim.id}{number}",
        "original_order_name": f"#{claim.order}",
        "sku": item.code,
        "item_count": item.units,
        "cost": item.paid / 100,
        "return_type": item.outcome,
        "currency": claim.currency,
    }


def write(month: Month, folder: Path, *, form: str = "jsonl") -> dict[str, Path]:
    """Write the files; ``form`` is how the returns are wrapped: jsonl, array or envelope."""
    folder.mkdir(parents=True, exist_ok=True)
    returns = [swap_return(claim) for claim in month.claims]
    wrapped = {
        "jsonl": "".join(json.dumps(row) + "\n" for row in returns),
        "array": json.dumps(returns, indent=1),
        "envelope": json.dumps({"returns": returns, "version": 2, "pagination": {"page": 1}}),
    }
    (folder / "returns.json").write_text(wrapped[form], encoding="utf-8")
    paths = {"returns": folder / "returns.json"}
    for name, columns in FILES.items():
        rows: Iterable[dict[str, Any]] = getattr(month, name)
        if name == "refunds" and not month.refunds:
            continue
        paths[name] = folder / f"{name}.csv"
        with paths[name].open("w", encoding="utf-8", newline="") as file:
            kept = [column for column in columns.split() if name != "notes" or column not in month.drops]
            writer = csv.DictWriter(file, kept, restval="", extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)
    return paths
