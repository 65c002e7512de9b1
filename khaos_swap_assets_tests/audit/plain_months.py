"""Months that are in step, and one slip after another in some of their rows: whatever a column may hold beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from khaos_swap_assets_tests.audit.files import Shop

CODES = [f"S{number:02d}" for number in range(12)]
PRICES = (999, 1499, 2499, 2499, 4999)
Slip = Callable[[Shop, int, Random], None]


def text(pence: int) -> str:
    """Pence as the files write money."""
    return f"{pence // 100}.{pence % 100:02}"


def net(gross: int, rate: str) -> str:
    """Net as Khaos rounds it, nothing without a rate."""
    return text((gross * 200 + 120) // 240) if rate == "20" else text(gross) if rate == "0" else ""


def a_month(seed: int, size: int = 60, slips: float = 0.35, codes: Sequence[str] = CODES) -> Shop:
    """A month of so many returns of these Stock Codes; about ``slips`` of them have a slip or two."""
    random, shop = Random(seed), Shop(codes=[{"stock_code": code} for code in CODES])
    shop.codes += [
        {"stock_code": "PACK", "pack_components": "S10:1;S11:1"},
        {"stock_code": "GONE", "discontinued": "yes"},
    ]
    for number in range(1_000, 1_000 + size):
        _in_step(shop, number, random, codes)
    for number in range(1_000, 1_000 + size):
        while random.random() < slips:
            random.choice(SLIPS)(shop, number, random)
    for rows in (shop.returns, shop.notes, shop.orders):
        random.shuffle(rows)
    return shop


def _in_step(shop: Shop, number: int, random: Random, codes: Sequence[str]) -> None:
    """An order of one or two lines that came back whole or in part, and its note."""
    customer = f"C{number - random.choice((0, 0, 0, 1, 2))}"
    rate, delivery = random.choice(("20", "20", "0", "")), random.choice(("", "3.95"))
    day = f"2026-03-{random.randrange(2, 27):02d}"
    products, total = [], 0
    for at, code in enumerate(random.sample(codes, min(len(codes), random.choice((1, 1, 2))))):
        price, sold = random.choice(PRICES), random.choice((1, 1, 3))
        units = random.randint(1, sold)
        own = {"customer_ref": customer, "vat_rate": rate, "delivery_gross": delivery, "line_ref": f"{number}-{at}"}
        shop.sold(number, code=code, price=text(price), quantity=sold, **own)
        own = {"customer_ref": customer, "stock_code": code, "quantity": str(units), "created_on": day}
        shop.credited(f"CN{number}", number, gross=text(price * units), net=net(price * units, rate), **own)
        products.append(
            {
                "product_id": f"p{number}-{at}",
                "shopify_line_item_id": f"{number}-{at}",
                "original_order_name": f"#LX{number}",
                "sku": code,
                "item_count": units,
                "cost": text(price * units),
                "currency": "GBP",
                "return_type": "Refund",
            }
        )
        total += price * units
    moment = f"{day}T10:00:00Z"
    more: dict[str, Any] = {
        "rma_processed": moment,
        "date_closed": moment,
        "date_created": "2026-02-20T09:00:00Z",
        "type": ["Refund"],
    }
    shop.returned(number, refund=text(total), **more)
    shop.returns[-1]["products"] = products


def _return(**fields: Any) -> Slip:
    """Other fields of the return."""

    def slip(shop: Shop, number: int, random: Random) -> None:
        _of(shop, number).update(fields)

    return slip


def _line(**fields: Any) -> Slip:
    """Other fields of its first line."""

    def slip(shop: Shop, number: int, random: Random) -> None:
        _of(shop, number)["products"][0].update(fields)

    return slip


def _note(*, is_whole: bool = True, **fields: str) -> Slip:
    """Other cells of its note, of all lines or the first; ``{0}`` is its number, ``{1}`` the next one."""

    return _cells(lambda shop: shop.notes, "credit_note_code", "CN{0}", fields, is_whole=is_whole)


def _order(*, is_whole: bool = True, **fields: str) -> Slip:
    """Other cells of its order."""

    return _cells(lambda shop: shop.orders, "order_ref", "KCCLX{0}", fields, is_whole=is_whole)


def _cells(
    rows_of: Callable[[Shop], list[dict[str, Any]]], key: str, name: str, fields: dict[str, str], *, is_whole: bool
) -> Slip:
    def slip(shop: Shop, number: int, random: Random) -> None:
        rows = [row for row in rows_of(shop) if row[key] == name.format(number)]
        for row in rows if is_whole else rows[:1]:
            row.update({field: cell.format(number, number + 1) for field, cell in fields.items()})

    return slip


def _of(shop: Shop, number: int) -> dict[str, Any]:
    return next(row for row in shop.returns if row["return_id"] == f"ret_{number}")


def _again(shop: Shop, number: int, random: Random) -> None:
    """Another note of the same lines, with or without its reference."""
    code, ref = f"DN{len(shop.notes)}", random.choice(("", f"RMA{number}", f"rma {number}", f"{number}"))
    rows = [row for row in shop.notes if row["credit_note_code"] == f"CN{number}"]
    order = random.choice(("", f"KCCLX{number}", f"KCCLX{number + 1}", f"SO{number}"))
    shop.notes += [{**row, "credit_note_code": code, "associated_ref": ref, "order_ref": order} for row in rows]


def _gone(shop: Shop, number: int, random: Random) -> None:
    """No note at all, or no order."""
    rows, name, value = random.choice(
        ((shop.notes, "credit_note_code", f"CN{number}"), (shop.orders, "order_ref", f"KCCLX{number}"))
    )
    rows[:] = [row for row in rows if row[name] != value]


def _twin(shop: Shop, number: int, random: Random) -> None:
    """Another return of the same order, or one of the same RMA."""
    own = _of(shop, number)
    name = random.choice(("rma_number", "shopify_order_name", "return_id"))
    other = {**own, "return_id": f"ret_9{number}", "rma_number": f"RMA9{number}", "shopify_order_name": f"#LX9{number}"}
    if name != "return_id":
        shop.returns.append({**other, name: own[name]})
    elif "date_updated" not in own:
        own["date_updated"] = "2026-03-28T09:00:00Z"
        shop.returns.append({**own, "date_updated": "2026-03-29T09:00:00Z"})


def _swapped(shop: Shop, number: int, random: Random) -> None:
    """Its note names the next return, and the other way round."""
    for row in shop.notes:
        if row["credit_note_code"] in (f"CN{number}", f"CN{number + 1}"):
            other = number + 1 if row["credit_note_code"] == f"CN{number}" else number
            row["associated_ref"] = f"RMA{other}"


def _stranger(shop: Shop, number: int, random: Random) -> None:
    """A note of nobody: of the customer alone with other money, or that nearly names a return and holds other goods."""
    own = next((row for row in shop.notes if row["credit_note_code"] == f"CN{number}"), None)
    if own:
        code, ref = f"EN{len(shop.notes)}", random.choice((f"rma {number}", f"{number}", f"RMA-{number}, RMA7"))
        of_customer = {"associated_ref": "", "order_ref": "", "gross": "77.70", "net": ""}
        of_name = {"associated_ref": ref, "order_ref": "", "customer_ref": "", "stock_code": "S08", "gross": "55.50"}
        shop.notes.append({**own, "net": "", **random.choice((of_customer, of_name)), "credit_note_code": code})


def _in_pack(shop: Shop, number: int, random: Random) -> None:
    """Three units of a component came back, of an order that sold a pack."""
    _order(is_whole=False, stock_code="PACK")(shop, number, random)
    _line(sku="S10", item_count=3)(shop, number, random)
    _note(is_whole=False, stock_code="S10", quantity="3")(shop, number, random)


def lose_names(shop: Shop, number: int) -> None:
    """Its note says neither whose it is nor of which order: its goods and its value alone are left."""
    _note(associated_ref="", order_ref="", customer_ref="")(shop, number, Random(0))


def _penny(shop: Shop, number: int, random: Random) -> None:
    """One amount is a penny off."""
    rows, name = random.choice(((shop.notes, "gross"), (shop.notes, "net"), (shop.orders, "unit_price_gross")))
    own = [row for row in rows if str(number) in (row.get("credit_note_code", "")[2:], row["order_ref"][5:])]
    for row in own[:1]:
        if row[name]:
            row[name] = text(max(int(row[name].replace(".", "")) - 1, 1))


def _further(shop: Shop, number: int, random: Random) -> None:
    """One more line on its note: a fee withheld, or something given free."""
    own = next((row for row in shop.notes if row["credit_note_code"] == f"CN{number}"), None)
    if own:
        pence, code = random.choice((("-2.00", "FEE"), ("0.00", "S03"), ("0.00", "POST")))
        shop.notes.append({**own, "stock_code": code, "quantity": "1", "gross": pence, "net": pence})


SLIPS: tuple[Slip, ...] = (
    *(_again, _again, _gone, _twin, _swapped, _penny, _penny, _further, _stranger, _stranger, _in_pack),
    _return(return_status="Open", rma_processed="", date_closed=""),
    _return(return_status="Cancelled"),
    _return(return_status="closed"),
    _return(rma_processed="Yes"),
    _return(rma_processed=""),
    _return(handling_fee="2.95"),
    _return(handling_fee=0, total_additional_payment="0.00"),
    _return(total_store_credit_value_customer_currency="5.00"),
    _return(total_refund_value_customer_currency="19.99"),
    _return(exchange_items=[{"sku": "S01", "quantity": 1, "price": "9.99"}]),
    _return(date_created="2026-04-01T09:00:00Z"),
    _return(rma_processed="2026-02-28T23:30:00Z"),
    _return(rma_processed="1 Mar 2026, 09:10:11"),
    _return(delivered_date="2026-03-01", quality_control_status="Not Approved", delivery_status="N/A"),
    _return(store_id="another", order_id=77, type="odd"),
    _line(sku="UNKNOWN"),
    _line(sku="s01"),
    _line(sku="GONE"),
    _line(sku="PACK"),
    _line(item_count=2),
    _line(item_count="1.0"),
    _line(return_type="Shop Now Credit"),
    _line(original_order_name="#LX1000"),
    _line(cost="0.00"),
    _line(refunded_non_inclusive_taxes="1.00"),
    _note(associated_ref=""),
    _note(associated_ref="rma-{0}"),
    _note(associated_ref="RMA{0} / RMA{1}"),
    _note(associated_ref="RMA{1}"),
    _note(is_whole=False, associated_ref=""),
    _note(order_ref=""),
    _note(associated_ref="", order_ref=""),
    _note(associated_ref="", order_ref="", created_on="2026-03-28"),
    _note(is_whole=False, associated_ref="", order_ref="", gross="8.88", net="7.40"),
    _note(order_ref="#LX{0}"),
    _note(order_ref="SO{1}", associated_ref="KCCLX{0}"),
    _note(order_ref="KCCLX{1}"),
    _note(customer_ref=""),
    _note(customer_ref="C{1}"),
    _note(created_on="2026-04-02"),
    _note(created_on="2026-02-27"),
    _note(created_on=""),
    _note(delivery_gross="3.95"),
    _note(net=""),
    _note(is_whole=False, quantity="2"),
    _note(is_whole=False, stock_code="S05"),
    _note(is_whole=False, stock_code="NO SUCH"),
    _order(customer_ref=""),
    _order(customer_ref="C1000"),
    _order(is_whole=False, so_code="SO9{0}"),
    _order(invoiced_on=""),
    _order(invoiced_on="2026-03-29"),
    _order(delivery_gross="5.00"),
    _order(is_whole=False, vat_rate=""),
    _order(is_whole=False, vat_rate="5"),
    _order(is_whole=False, stock_code="S07"),
    _order(is_whole=False, stock_code="PACK"),
    _order(is_whole=False, quantity="1"),
    _order(is_whole=False, discount_gross="1.00"),
)
